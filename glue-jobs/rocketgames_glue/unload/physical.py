"""The values of a column as they lie in a Parquet file, made from what Postgres was asked for, a batch at a time.

What Parquet or its readers cannot hold is neither clamped nor dropped: it ends the unload, or becomes NULL and is counted, as the
contract says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rocketgames_glue.unload.plan import PlanColumn
from rocketgames_glue.unload.pseudonyms import ID_BYTES, PSEUDONYM_CHARACTERS, Pseudonyms

REASONS = ("infinity", "bc", "out_of_range", "nan")
_EPOCH_DAYS = 10_957
_EPOCH_MICROSECONDS = 946_684_800_000_000
"""From 1970-01-01 to Postgres' epoch, 2000-01-01."""


@dataclass(frozen=True)
class _Limits:
    """What is accepted of times and dates, as sent: since 2000-01-01."""

    dtype: str
    low: int
    high: int
    anno_domini: int


_TIME = _Limits(">i8", -3_155_673_600_000_000, 252_455_615_999_999_000, -63_082_281_600_000_000)
"""1900-01-01 00:00 to 9999-12-31 23:59:59.999 UTC: below, Spark 3 stops; above, Athena rounds to the year 10000."""
_DATE = _Limits(">i4", -152_384, 2_921_939, -730_119)
"""1582-10-15 to 9999-12-31."""
_SPECIAL_NUMBERS = {"NaN": "nan", "Infinity": "infinity", "-Infinity": "infinity"}


class RowFault(Exception):
    """A value with which no file can be written; ``row`` counts in the batch. Holds no value."""

    def __init__(self, code: str, row: int, reason: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.row = row
        self.reason = reason


Reject = Callable[[str, np.ndarray], None]
"""Told a reason and the rows of a batch that have it."""


def physical_type(column: PlanColumn) -> pa.DataType:
    """As pyarrow writes it; decimals are whole numbers here, and are called decimals in the footer."""
    if column.decimal is not None:
        return pa.binary(16) if column.is_wide else pa.int64()
    return _TYPES[column.pg_type]


_TYPES: Mapping[str, pa.DataType] = {
    "uuid": pa.string(),
    "text": pa.string(),
    "enum": pa.string(),
    "jsonb": pa.string(),
    "boolean": pa.bool_(),
    "smallint": pa.int32(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "date": pa.date32(),
    "timestamptz(3)": pa.timestamp("us", tz="UTC"),
}


class PhysicalColumn:
    """Makes the arrays of one column of one file, and counts what became NULL, by reason."""

    def __init__(self, column: PlanColumn, pseudonyms: Pseudonyms) -> None:
        self.column = column
        self.type = physical_type(column)
        self.unrepresentable = dict.fromkeys(REASONS, 0) if column.on_unrepresentable == "null" else None
        self._pseudonyms = pseudonyms

    def array(self, given: pa.Array) -> pa.Array:
        """:raises RowFault: ``null_in_not_null``, ``unrepresentable_value``, or ``copy_failed`` for another value than the type's."""
        column = self.column
        if not column.nullable and given.null_count:
            raise RowFault("null_in_not_null", _first(given.is_null().to_numpy(zero_copy_only=False)))
        if column.is_pseudonym:
            return self._pseudonymised(given)
        if column.pg_type == "timestamptz(3)":
            return _instants(given, self.type, _TIME, _EPOCH_MICROSECONDS, self._reject)
        if column.pg_type == "date":
            return _instants(given, self.type, _DATE, _EPOCH_DAYS, self._reject)
        if column.decimal is not None:
            return _decimals(given, column, self._reject)
        return given if given.type == self.type else given.cast(self.type)

    def _reject(self, reason: str, rows: np.ndarray) -> None:
        if self.unrepresentable is None:
            raise RowFault("unrepresentable_value", _first(rows), reason)
        self.unrepresentable[reason] += int(np.count_nonzero(rows))

    def _pseudonymised(self, given: pa.Array) -> pa.Array:
        ids, valid = _bytes_of(given, ID_BYTES)
        text = pa.py_buffer(self._pseudonyms.of(ids))
        ends = np.full(len(given), 1) if valid is None else valid
        offsets = np.zeros(len(given) + 1, dtype=np.int32)
        np.cumsum(ends, out=offsets[1:])
        offsets *= PSEUDONYM_CHARACTERS
        return pa.Array.from_buffers(pa.string(), len(given), [_bitmap(valid), pa.py_buffer(offsets), text])


def _first(rows: np.ndarray) -> int:
    return int(np.flatnonzero(rows)[0])


def _valid(given: pa.Array) -> np.ndarray | None:
    return given.is_valid().to_numpy(zero_copy_only=False) if given.null_count else None


def _bitmap(valid: np.ndarray | None) -> pa.Buffer | None:
    return None if valid is None else pa.array(valid).buffers()[1]


def _bytes_of(given: pa.Array, width: int) -> tuple[bytes, np.ndarray | None]:
    """The bytes of the values that are there, one after another, and which are.

    :raises RowFault: ``copy_failed`` when a value has another length.
    """
    valid = _valid(given)
    _, offset_buffer, data = given.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int32, count=len(given) + 1, offset=4 * given.offset)
    wanted = width if valid is None else width * valid
    wrong = np.diff(offsets) != wanted
    if wrong.any():
        raise RowFault("copy_failed", _first(wrong))
    begin, end = (int(offsets[0]), int(offsets[-1])) if len(given) else (0, 0)
    return (data.slice(begin, end - begin).to_pybytes() if end > begin else b""), valid


def _instants(given: pa.Array, kind: pa.DataType, limits: _Limits, epoch: int, reject: Reject) -> pa.Array:
    """Times and dates, from the bytes that binary COPY sends."""
    width = np.dtype(limits.dtype).itemsize
    data, valid = _bytes_of(given, width)
    sent = np.frombuffer(data, dtype=limits.dtype).astype(np.int64)
    if valid is not None:
        every = np.zeros(len(given), dtype=np.int64)
        every[valid] = sent
        sent = every
    outside = (sent < limits.low) | (sent > limits.high)
    if outside.any():
        bounds = np.iinfo(np.int64 if width == 8 else np.int32)
        infinite = (sent == bounds.min) | (sent == bounds.max)
        before_christ = ~infinite & (sent < limits.anno_domini)
        for reason, rows in (
            ("infinity", infinite),
            ("bc", before_christ),
            ("out_of_range", outside & ~infinite & ~before_christ),
        ):
            if rows.any():
                reject(reason, rows)
        valid = ~outside if valid is None else valid & ~outside
        sent = np.where(outside, 0, sent)
    values = (sent + epoch).astype(np.int64 if width == 8 else np.int32)
    return _build(kind, values, valid)


def _build(kind: pa.DataType, values: np.ndarray, valid: np.ndarray | None) -> pa.Array:
    return pa.Array.from_buffers(kind, len(values), [_bitmap(valid), pa.py_buffer(np.ascontiguousarray(values))])


def _decimals(given: pa.Array, column: PlanColumn, reject: Reject) -> pa.Array:
    """Whole numbers of the last place that the column keeps: 64 bits, or 16 bytes with the highest first."""
    precision, scale = column.decimal or (0, 0)
    special = pc.is_in(given, value_set=pa.array(list(_SPECIAL_NUMBERS)))
    if pc.any(special).as_py():
        for reason in ("nan", "infinity"):
            names = pa.array([name for name, each in _SPECIAL_NUMBERS.items() if each == reason])
            rows = pc.is_in(given, value_set=names).to_numpy(zero_copy_only=False)
            if rows.any():
                reject(reason, rows)
        given = pc.if_else(special, pa.scalar(None, pa.string()), given)
    try:
        decimals = given.cast(pa.decimal128(precision, scale))
    except pa.ArrowInvalid:
        # Its text says the value.
        raise RowFault("copy_failed", 0) from None
    low_first = np.frombuffer(decimals.buffers()[1], dtype=np.uint8, count=16 * len(given), offset=16 * decimals.offset)
    low_first = low_first.reshape(-1, 16)
    valid = _valid(decimals)
    if column.is_wide:
        return _build(pa.binary(16), low_first[:, ::-1], valid)
    return _build(pa.int64(), np.ascontiguousarray(low_first[:, :8]).view("<i8").reshape(-1), valid)
