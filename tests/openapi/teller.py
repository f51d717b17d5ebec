"""Calls a service as its document says, and holds every answer against the document."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp
from jsonschema import Draft202012Validator

from tests.flow.stack import API_TOKEN, CODAT_SECRET, LOAN_SECRET
from worker.commands.send import signed_headers
from worker.config import load_settings

LEDGER_KEY = ("the-lender", "a-key-of-the-tests")

_webhooks = count(1)


def signed(path: str, body: bytes, webhook_id: str | None = None) -> dict[str, str]:
    """The headers of a genuine webhook."""
    name, secret = (
        ("LOAN_WEBHOOK_SECRETS", LOAN_SECRET) if path == "/webhooks/loans" else ("CODAT_WEBHOOK_SECRETS", CODAT_SECRET)
    )
    settings = load_settings({name: secret}, at_terminal=False)
    (key,) = settings.loan_webhook_secrets or settings.codat_webhook_secrets
    return signed_headers(key, webhook_id or f"msg-{next(_webhooks)}", body, int(time.time()))


@dataclass
class Teller:
    """Calls operations by their method and the path's template.

    ``succeeded`` are those that once did; ``places`` are the ids of paths under which something was seen last.
    """

    session: aiohttp.ClientSession
    url: str
    document: Mapping[str, Any]
    succeeded: set[tuple[str, str]] = field(default_factory=set)
    places: dict[str, Mapping[str, object]] = field(default_factory=dict)

    async def tell(self, method: str, path: str, body: object = None, *, query: str = "", **ids: object) -> Any:
        """What an operation answers, which must be a success and as it is documented."""
        target, sent = self.url + path.format(**ids) + query, b"" if body is None else json.dumps(body).encode()
        headers = self._credentials(path, sent, ids)
        async with self.session.request(method, target, data=sent, headers=headers) as response:
            text = await response.text()
        assert response.ok, (method, target, response.status, text)
        told = json.loads(text) if response.content_type == "application/json" else text
        self._check(method, path, response, told)
        self.succeeded.add((method, path))
        if ids and method != "DELETE":
            self.places[path] = ids
        return told

    def _credentials(self, path: str, body: bytes, ids: Mapping[str, object]) -> dict[str, str]:
        if path.startswith("/api"):
            return {"Authorization": aiohttp.encode_basic_auth(*LEDGER_KEY)}
        if path.startswith("/webhooks"):
            return signed(path, body, str(ids["webhook_id"]) if "webhook_id" in ids else None)
        return {"Authorization": f"Bearer {API_TOKEN}"}

    def _check(self, method: str, path: str, response: aiohttp.ClientResponse, told: object) -> None:
        answers = self.document["paths"][path][method.lower()]["responses"]
        assert str(response.status) in answers, (method, path, response.status)
        documented = answers[str(response.status)]
        for name, header in documented.get("headers", {}).items():
            assert name in response.headers or not header["required"], (method, path, name)
        content = documented.get("content")
        if content is None:
            assert told == ""
            return
        schema = {**content[response.content_type]["schema"], "components": self.document["components"]}
        faults = list(
            Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(told)
        )
        assert not faults, (method, path, faults[0].json_path, faults[0].message)
