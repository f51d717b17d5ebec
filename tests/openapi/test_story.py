"""Every operation succeeds in a service as it is deployed, and answers as it is documented."""

from __future__ import annotations

from pathlib import Path

from tests.openapi.product import open_product


async def test_every_operation_succeeds_and_answers_as_documented(database_url: str, tmp_path: Path) -> None:
    async with open_product(database_url, tmp_path) as product:
        await product.tell_stories()
        paths = product.teller.document["paths"]
        documented = {(method.upper(), path) for path, methods in paths.items() for method in methods}
        assert product.teller.succeeded == documented
