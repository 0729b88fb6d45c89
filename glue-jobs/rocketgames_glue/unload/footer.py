"""The end of a file (Parquet format, parquet.thrift): what pyarrow writes, completed by what it has no way to say.

pyarrow writes decimals of up to 9 digits in 32 bits or in as few bytes as they need, and names itself as the writer. The lake's contract
has decimals in 64 bits or 16 bytes, whatever their digits, and names the service and the snapshot. The values are written as whole numbers, and are
called decimals here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rocketgames_glue.unload.plan import PlanColumn
from rocketgames_glue.unload.thrift import BINARY, I32, LIST, STRUCT, Many, Struct, read_struct, write_struct

MAGIC = b"PAR1"
_LENGTH_BYTES = 4
LONGEST_BOUND_BYTES = 256
"""A longer bound of text costs more than it saves; a cut one would be wrong."""
# Fields of FileMetaData, KeyValue, SchemaElement, LogicalType, DecimalType, RowGroup, ColumnChunk, ColumnMetaData and Statistics.
_SCHEMA, _ROW_GROUPS, _METADATA, _CREATED_BY = 2, 4, 5, 6
_KEY, _VALUE = 1, 2
_CONVERTED, _SCALE, _PRECISION, _LOGICAL = 6, 7, 8, 10
_CONVERTED_DECIMAL, _LOGICAL_DECIMAL = 5, 5
_DECIMAL_SCALE, _DECIMAL_PRECISION = 1, 2
_CHUNKS, _CHUNK_METADATA, _STATISTICS = 1, 3, 12
_BOUNDS = (1, 2, 5, 6, 7, 8)


@dataclass(frozen=True)
class End:
    """What lies behind the row groups: the page index, and the tail from the start of the footer to the end of the file."""

    index: bytes
    tail: bytes
    row_groups: int


def completed_end(written: bytes, columns: Sequence[PlanColumn], created_by: str, metadata: Mapping[str, str]) -> End:
    """:param written: all that pyarrow wrote behind the row groups. :raises ValueError: it is no end of a file of these columns."""
    if written[-len(MAGIC) :] != MAGIC:
        raise ValueError("the file does not end as a Parquet file does")
    length = int.from_bytes(written[-len(MAGIC) - _LENGTH_BYTES : -len(MAGIC)], "little")
    start = len(written) - len(MAGIC) - _LENGTH_BYTES - length
    if start < 0:
        raise ValueError("the footer would begin within the row groups")
    footer, size = read_struct(written[start : start + length])
    if size != length:
        raise ValueError("the footer is shorter than it says")
    _complete_schema(footer, columns)
    footer.set(_CREATED_BY, BINARY, created_by.encode())
    pairs = [Struct({_KEY: (BINARY, key.encode()), _VALUE: (BINARY, value.encode())}) for key, value in metadata.items()]
    footer.set(_METADATA, LIST, Many(STRUCT, pairs))
    groups = footer.get(_ROW_GROUPS)
    count = 0 if groups is None else len(groups.items)
    if groups is not None:
        _drop_long_bounds(groups.items)
    thrift = write_struct(footer)
    return End(written[:start], thrift + len(thrift).to_bytes(_LENGTH_BYTES, "little") + MAGIC, count)


def _complete_schema(footer: Struct, columns: Sequence[PlanColumn]) -> None:
    elements = footer.get(_SCHEMA).items[1:]
    if len(elements) != len(columns):
        raise ValueError(f"the footer has {len(elements)} columns, the contract {len(columns)}")
    for element, column in zip(elements, columns, strict=True):
        if column.decimal is None:
            continue
        precision, scale = column.decimal
        element.set(_CONVERTED, I32, _CONVERTED_DECIMAL)
        element.set(_SCALE, I32, scale)
        element.set(_PRECISION, I32, precision)
        decimal = Struct({_DECIMAL_SCALE: (I32, scale), _DECIMAL_PRECISION: (I32, precision)})
        element.set(_LOGICAL, STRUCT, Struct({_LOGICAL_DECIMAL: (STRUCT, decimal)}))


def _drop_long_bounds(groups: Sequence[Struct]) -> None:
    for group in groups:
        for chunk in group.get(_CHUNKS).items:
            statistics = chunk.get(_CHUNK_METADATA).get(_STATISTICS)
            if statistics is not None and any(
                isinstance(statistics.get(each), bytes) and len(statistics.get(each)) > LONGEST_BOUND_BYTES for each in _BOUNDS
            ):
                statistics.drop(*_BOUNDS)
