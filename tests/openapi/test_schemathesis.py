"""The whole document against a service as it is deployed: a story through all of it, and schemathesis.

The questions are the same every time. To ask all there are, and as many others about each operation as you like::

    SCHEMATHESIS_EXAMPLES=200 .venv/bin/pytest -n 0 --timeout 0 tests/openapi/test_schemathesis.py
"""

from __future__ import annotations

import asyncio
import copy
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis import HookContext
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import EngineEvent, FatalError, NonFatalError, ScenarioFinished
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.schemas import BaseSchema

from tests.conftest import copied_database
from tests.openapi.product import Product, open_product
from tests.openapi.questions import AnyCase, Credentials, Known, Sample, fits

CONFIG = Path(__file__).with_name("schemathesis.toml")
MORE_EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES")
EXAMPLES = 3
"""Random questions about each operation; those that walk along its schema's bounds come first."""
SAMPLE = Sample(first=6, nth=12) if MORE_EXAMPLES is None else Sample(first=0, nth=1)
FAMILIAR_SHARE = 0.6
"""Part of the operations that must have been seen to succeed: the others need a state that nobody can guess."""


@dataclass
class Found:
    """What became of the questions."""

    operations: int
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def succeeded(self) -> set[str]:
        """Operations that did what they were asked, at least once."""
        return {label for label, status in self.statuses if status < 300}

    def note(self, event: EngineEvent) -> None:
        """Take in what the engine tells."""
        match event:
            case ScenarioFinished(recorder=recorder):
                self._note_answers(recorder)
            case NonFatalError(label=label, info=info, value=error):
                self.failures.append(f"{label}: {info.title}: {error}")
            case FatalError(exception=error):
                self.failures.append(f"the engine failed: {error}")
            case _:
                pass

    def _note_answers(self, recorder: ScenarioRecorder) -> None:
        labels = {case_id: node.value.operation.label for case_id, node in recorder.cases.items()}
        for case_id, interaction in recorder.interactions.items():
            if interaction.response is not None:
                self.statuses[labels[case_id], interaction.response.status_code] += 1
        for case_id, checks in recorder.checks.items():
            for check in checks:
                if check.status is Status.FAILURE and (told := check.failure_info):
                    self.failures.append(f"{labels[case_id]}: {check.name}: {told.failure}\n{told.code_sample}")


def ask(product: Product, document: Mapping[str, Any], path: str | None = None) -> Found:
    """Ask everything there is to ask, be it about one path; a document may be a false one."""
    config = SchemathesisConfig.from_path(CONFIG)
    config.projects.default.update(base_url=product.stack.service_url)
    generation = config.projects.default.generation
    generation.update(max_examples=int(MORE_EXAMPLES or EXAMPLES), deterministic=MORE_EXAMPLES is None)
    schema: BaseSchema = schemathesis.openapi.from_dict(dict(document), config=config)
    if path is not None:
        schema = schema.include(path=path)
    schema.auth.set_from_requests(Credentials())
    known = Known.of(product.ledger)

    @schema.hook
    def filter_case(context: HookContext, case: AnyCase) -> bool:
        return fits(case) and SAMPLE.takes(case)

    @schema.hook
    def map_case(context: HookContext, case: AnyCase) -> AnyCase:
        return known.put_into(case)

    found = Found(operations=schema.statistic.operations.selected)
    for event in from_schema(schema).execute():
        found.note(event)
    return found


@pytest.fixture(scope="module")
async def product(
    server_url: str, template: str, database_numbers: Iterator[int], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    """The product with something to show."""
    async with (
        copied_database(server_url, template, next(database_numbers)) as url,
        open_product(url, tmp_path_factory.mktemp("product")) as product,
    ):
        await product.tell_stories()
        yield product


async def test_every_operation_succeeded_and_answered_as_documented(product: Product) -> None:
    paths = product.teller.document["paths"]
    documented = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert product.teller.succeeded == documented


async def test_no_answer_is_an_accident_or_undocumented(product: Product) -> None:
    found = await asyncio.to_thread(ask, product, product.teller.document)
    assert not found.failures, "\n\n".join(found.failures)
    assert len(found.succeeded) >= found.operations * FAMILIAR_SHARE, sorted(found.succeeded)


def forget_refusals(document: dict[str, Any]) -> None:
    del document["paths"]["/api/ledgers"]["get"]["responses"]["422"]


def call_names_numbers(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["LedgerObject"]["properties"]["name"] = {"type": "integer"}


@pytest.mark.parametrize(
    ("lie", "check"),
    [(forget_refusals, "status_code_conformance"), (call_names_numbers, "response_schema_conformance")],
)
async def test_a_lie_in_the_document_is_found(
    product: Product, lie: Callable[[dict[str, Any]], None], check: str
) -> None:
    document = copy.deepcopy(dict(product.teller.document))
    lie(document)
    found = await asyncio.to_thread(ask, product, document, "/api/ledgers")
    assert any(check in failure for failure in found.failures)
