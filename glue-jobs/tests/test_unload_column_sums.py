"""Column sums by numpy are those that the service computes value by value."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from conftest import counted
from file_oracle import FileOracle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rocketgames_glue.unload.column_sums import ColumnSum

LONGS = st.integers(-(2**63), 2**63 - 1)
WORDS = st.integers(-(2**31), 2**31 - 1)
TEXTS = st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace").decode())
KINDS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.bool_(), st.booleans()),
    (pa.int32(), WORDS),
    (pa.date32(), WORDS),
    (pa.int64(), LONGS),
    (pa.timestamp("us", tz="UTC"), LONGS),
    (pa.string(), TEXTS),
    (pa.binary(16), st.binary(min_size=16, max_size=16)),
]


def shown(kind: pa.DataType, value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if pa.types.is_boolean(kind) or pa.types.is_int32(kind) or pa.types.is_date32(kind):
        return {"word": int(value)}
    if pa.types.is_int64(kind) or pa.types.is_timestamp(kind):
        return {"long": str(value)}
    return {"bytes": (value.encode() if isinstance(value, str) else value).hex()}


def array_of(kind: pa.DataType, values: list[Any]) -> pa.Array:
    if pa.types.is_date32(kind):
        return pa.array(values, pa.int32()).view(kind)
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.int64()).view(kind)
    return pa.array(values, kind)


@pytest.mark.parametrize(("kind", "values"), KINDS, ids=[str(kind) for kind, _ in KINDS])
def test_a_sum_is_that_of_the_service_for_slices_and_nulls(oracle: FileOracle, kind: pa.DataType, values: st.SearchStrategy[Any]) -> None:
    @settings(max_examples=counted(25, 2_000), deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(st.lists(st.one_of(st.none(), values), max_size=70), max_size=4),
        st.integers(0, 9),
        st.integers(0, 9),
    )
    def check(batches: list[list[Any]], skipped: int, left: int) -> None:
        found = ColumnSum()
        every: list[Any] = []
        for batch in batches:
            array = array_of(kind, batch).slice(skipped)
            array = array.slice(0, max(0, len(array) - left))
            found.add(array)
            every += batch[skipped : skipped + len(array)]
        assert str(found) == oracle.sum([shown(kind, each) for each in every])

    check()


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([], id="nothing"),
        pytest.param([None] * 5, id="only NULL"),
        pytest.param([""] * 5, id="only empty texts"),
        pytest.param(["", None, "", None], id="empty texts and NULL"),
        pytest.param(["a" * length for length in range(70)], id="every length of a last word"),
        pytest.param(["🚀" * 3, "\x01", "ÿ", "\U0010ffff"], id="beyond ASCII"),
        pytest.param(["x" * 1_000_003, "y"], id="a long text"),
    ],
)
def test_texts(oracle: FileOracle, values: list[str | None]) -> None:
    found = ColumnSum()
    found.add(pa.array(values, pa.string()))
    assert str(found) == oracle.sum([shown(pa.string(), each) for each in values])


def test_bytes_that_an_array_keeps_below_a_null_are_nobodys_value(oracle: FileOracle) -> None:
    full = pa.array(["ab", "secret", "c"], pa.string())
    bitmap = pa.array([True, False, True]).buffers()[1]
    array = pa.Array.from_buffers(pa.string(), 3, [bitmap, *full.buffers()[1:]])
    found = ColumnSum()
    found.add(array)
    assert str(found) == oracle.sum([{"bytes": b"ab".hex()}, None, {"bytes": b"c".hex()}])


def test_a_sum_tells_a_changed_bit_and_two_rows_that_changed_places() -> None:
    def of(values: list[str]) -> str:
        found = ColumnSum()
        found.add(pa.array(values))
        return str(found)

    assert of(["one", "two"]) != of(["two", "one"])
    assert of(["one", "two"]) != of(["one", "twp"])


def test_a_type_that_no_file_has_is_refused() -> None:
    with pytest.raises(TypeError, match="double"):
        ColumnSum().add(pa.array([1.5]))
