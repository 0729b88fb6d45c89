"""One Parquet file from batches of rows: pyarrow writes the row groups, what the contract asks beyond that is added around it.

Memory: the row group that fills (at most ``row_group_bytes`` before compression, and one batch), what pyarrow makes of one of its columns,
and what the output keeps. Never a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from rocketgames_glue.unload.bounds import KeyBounds
from rocketgames_glue.unload.column_sums import ColumnSum
from rocketgames_glue.unload.facts import ColumnFacts, EncodedFile
from rocketgames_glue.unload.footer import completed_end
from rocketgames_glue.unload.physical import PhysicalColumn, RowFault
from rocketgames_glue.unload.plan import Encoding, PlanTable
from rocketgames_glue.unload.problems import UnloadProblem
from rocketgames_glue.unload.pseudonyms import Pseudonyms

_PAGE_BYTES = 1 << 20
_TEXTS = ("text", "enum", "jsonb")
"""Columns that may have few values; ids are all different."""
_LEVELS = {"zstd": 1, "gzip": 1}


class Output(Protocol):
    """Where the bytes of a file go: in order, and never back."""

    def write(self, data: bytes | memoryview) -> None: ...


class _Tap:
    """The file that pyarrow writes into. What comes once the end is near is kept back, to be completed."""

    closed = False

    def __init__(self, output: Output) -> None:
        self._output = output
        self.kept: list[bytes] | None = None

    def write(self, data: bytes) -> None:
        if self.kept is None:
            self._output.write(data)
        else:
            self.kept.append(bytes(data))

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        self.closed = True


class RangeFile:
    """The file of one range. Batches have the lake's columns as :mod:`selection` asks for them, then the primary key as text."""

    def __init__(
        self, table: PlanTable, encoding: Encoding, metadata: Mapping[str, str], pseudonyms: Pseudonyms, output: Output
    ) -> None:
        self._table = table
        self._encoding = encoding
        self._columns = [PhysicalColumn(each, pseudonyms) for each in table.columns]
        self._sums = [ColumnSum() for _ in table.columns]
        self._nulls = [0] * len(table.columns)
        self._key = next((i for i, each in enumerate(table.columns) if each.name == table.min_key_column), None)
        self._bounds = None if self._key is None else KeyBounds(table.columns[self._key])
        self._output = output
        self._tap = _Tap(output)
        fields = [pa.field(each.column.name, each.type) for each in self._columns]
        self._schema = pa.schema(fields)
        self._metadata = metadata
        self._writer = self._open()
        self._group: list[pa.RecordBatch] = []
        self._group_rows = 0
        self._group_bytes = 0
        self._rows = 0

    def _open(self) -> pq.ParquetWriter:
        columns = self._table.columns
        return pq.ParquetWriter(
            pa.PythonFile(self._tap, mode="w"),
            self._schema,
            # The oldest layout, which every reader knows: pages and encodings of the first format version.
            version="1.0",
            data_page_version="1.0",
            compression=self._encoding.codec,
            compression_level=_LEVELS.get(self._encoding.codec),
            use_dictionary=[each.name for each in columns if each.pg_type in _TEXTS],
            # Those of wide decimals would be in the order of bytes, in which negative numbers come last.
            write_statistics=[each.name for each in columns if each.stats and not each.is_wide],
            data_page_size=_PAGE_BYTES,
            write_page_index=True,
            store_schema=False,
        )

    @property
    def rows(self) -> int:
        """Rows so far."""
        return self._rows

    def append(self, batch: pa.RecordBatch) -> None:
        """:raises UnloadProblem: a value with which no file can be written; the file is lost then."""
        arrays = [self._array(i, batch) for i in range(len(self._columns))]
        if self._bounds is not None and self._key is not None:
            self._bounds.add(arrays[self._key])
        encoded = pa.record_batch(arrays, schema=self._schema)
        self._rows += batch.num_rows
        most = self._encoding.row_group_rows
        begin = 0
        while begin < encoded.num_rows:
            some = encoded.slice(begin, min(encoded.num_rows - begin, most - self._group_rows))
            begin += some.num_rows
            self._group.append(some)
            self._group_rows += some.num_rows
            self._group_bytes += some.nbytes
            if self._group_rows >= most or self._group_bytes >= self._encoding.row_group_bytes:
                self._end_row_group()

    def _array(self, index: int, batch: pa.RecordBatch) -> pa.Array:
        try:
            values = self._columns[index].array(batch.column(index))
        except RowFault as fault:
            raise self._problem(fault, index, batch) from None
        self._sums[index].add(values)
        self._nulls[index] += values.null_count
        return values

    def _problem(self, fault: RowFault, index: int, batch: pa.RecordBatch) -> UnloadProblem:
        column = self._columns[index].column
        place = f"{self._table.table}.{column.source}"
        about: dict[str, str] = {"table": self._table.table, "column": column.source}
        if fault.code == "copy_failed":
            return UnloadProblem(fault.code, f"{place}: Postgres sent a value that is no {column.pg_type}", **about)
        about["primary_key"] = _key_text(self._table, batch, fault.row)
        if fault.code == "null_in_not_null":
            return UnloadProblem(
                fault.code, f"{place} of a row is NULL, and the contract says that it never is", **about
            )
        message = f"{place} of a row cannot be held by Parquet and its readers ({fault.reason})"
        return UnloadProblem(fault.code, message, **about, reason=str(fault.reason))

    def _end_row_group(self) -> None:
        if not self._group_rows:
            return
        # One piece of each column: pages end where pieces do.
        table = pa.Table.from_batches(self._group, schema=self._schema).combine_chunks()
        self._group = []
        self._writer.write_table(table, row_group_size=self._group_rows)
        self._group_rows = 0
        self._group_bytes = 0

    def close(self) -> EncodedFile:
        """Ends the file: all its bytes are in the output."""
        self._end_row_group()
        self._tap.kept = []
        self._writer.close()
        end = completed_end(b"".join(self._tap.kept), self._table.columns, self._encoding.created_by, self._metadata)
        self._output.write(end.index)
        self._output.write(end.tail)
        low, high = (None, None) if self._bounds is None else self._bounds.texts()
        return EncodedFile(
            rows=self._rows,
            row_groups=end.row_groups,
            tail=end.tail,
            min_key=low,
            max_key=high,
            columns={
                each.name: ColumnFacts(self._nulls[i], str(self._sums[i])) for i, each in enumerate(self._table.columns)
            },
            unrepresentable={
                each.column.name: each.unrepresentable for each in self._columns if each.unrepresentable is not None
            },
        )


def _key_text(table: PlanTable, batch: pa.RecordBatch, row: int) -> str:
    """``id=0193…``, ``game_id=…, platform=windows``."""
    first = len(table.columns)
    values = [batch.column(first + i)[row].as_py() for i in range(len(table.key))]
    return ", ".join(f"{each.name}={'NULL' if value is None else value}" for each, value in zip(table.key, values, strict=True))
