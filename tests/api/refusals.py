"""What the API refuses, as the official client tells it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest
from modern_treasury import UnprocessableEntityError
from modern_treasury.types import BulkResult
from modern_treasury.types.bulk_result import EntityBulkError, EntityBulkErrorRequestError


async def refused(call: Awaitable[object]) -> dict[str, str]:
    """The error body of a call that must be refused for what it says."""
    with pytest.raises(UnprocessableEntityError) as caught:
        await call
    body: Any = caught.value.body
    return dict(body["errors"])


def bulk_error(result: BulkResult) -> EntityBulkErrorRequestError:
    """The one error of a resource that failed."""
    assert isinstance(result.entity, EntityBulkError)
    (error,) = result.entity.request_errors
    return error
