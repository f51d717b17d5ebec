"""Webhook consumers of the new service. Their signing secret is the simulator's; Codat shows it in its portal only."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from worker.simulator.api.lookup import simulator_of
from worker.simulator.delivery import Consumer
from worker.simulator.wire import CodatError, decode_object, respond

MAX_CONSUMERS: Final = 50
MAX_TAGS: Final = 10
"""Company tags one consumer may name."""


async def list_consumers(request: web.Request) -> web.Response:
    """Every consumer."""
    consumers = simulator_of(request).post.consumers.values()
    return respond({"results": [consumer.document() for consumer in consumers]})


async def create_consumer(request: web.Request) -> web.Response:
    """Adds a consumer; Codat answers 201 here."""
    simulator = simulator_of(request)
    body = decode_object(await request.read())
    url, disabled = body.get("url"), body.get("disabled") or False
    if not isinstance(url, str) or urlsplit(url).scheme not in {"http", "https"}:
        raise CodatError(400, "url has to be an http or https address.")
    event_types, tags = _strings(body.get("eventTypes"), "eventTypes"), _strings(body.get("companyTags"), "companyTags")
    if len(tags) > MAX_TAGS or any(":" not in tag for tag in tags):
        raise CodatError(400, f"companyTags may hold at most {MAX_TAGS} tags, each as key:value.")
    if len(simulator.post.consumers) >= MAX_CONSUMERS:
        raise CodatError(400, f"At most {MAX_CONSUMERS} webhook consumers may exist.")
    consumer = Consumer(simulator.guid(), url, bool(disabled), event_types, tags)
    simulator.post.consumers[consumer.id] = consumer
    return respond(consumer.document(), 201)


async def delete_consumer(request: web.Request) -> web.Response:
    """Removes a consumer; what is on its way to it still arrives."""
    consumers = simulator_of(request).post.consumers
    if consumers.pop(request.match_info["webhook_id"], None) is None:
        raise CodatError(404, "No webhook consumer was found with this ID")
    return web.Response(status=204)


def _strings(value: object, name: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise CodatError(400, f"{name} has to be a list of strings.")
    return value


def add_routes(app: web.Application) -> None:
    """Registers these endpoints."""
    app.router.add_get("/webhooks", list_consumers)
    app.router.add_post("/webhooks", create_consumer)
    app.router.add_delete("/webhooks/{webhook_id}", delete_consumer)
