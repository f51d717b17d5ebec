"""Identifiers sort by the moment they were made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.ids import ENTROPY_BYTES, uuid7

MOMENTS = st.integers(0, 2**48 - 1)
ENTROPY = st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES)


@given(MOMENTS, ENTROPY)
def test_an_id_is_of_version_7_and_tells_its_moment(moment: int, entropy: bytes) -> None:
    made = uuid7(moment, entropy)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == moment


@given(MOMENTS, st.integers(0, 4095), st.integers(0, 4095), st.binary(min_size=8, max_size=8))
def test_a_counter_in_front_of_the_entropy_orders_ids_of_one_moment(
    moment: int, first: int, second: int, rest: bytes
) -> None:
    ids = [uuid7(moment, counter.to_bytes(2, "big") + rest) for counter in (first, second)]
    assert (ids[0] < ids[1]) == (first < second)


@pytest.mark.parametrize(("moment", "size"), [(-1, 10), (2**48, 10), (0, 9), (0, 11)])
def test_values_that_do_not_fit_are_refused(moment: int, size: int) -> None:
    with pytest.raises(ValueError, match="must"):
        uuid7(moment, bytes(size))
