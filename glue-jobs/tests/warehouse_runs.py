"""Two small curated runs, the second made of the first by every kind of change, for the tests of the warehouses."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from rocketgames_glue.io.curated_runs import (
    CuratedManifest,
    IncludedSnapshot,
    RunColumn,
    RunFile,
    RunTable,
    commit_run,
    current_run,
    run_prefix,
)
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.jobs.load import warehouse_run
from rocketgames_glue.statements.warehouse_run import WarehouseRun
from rocketgames_glue.tables import CURATED, CuratedTable, curated_table

Row = tuple[Any, ...]
Rows = Mapping[str, Sequence[Row]]

FIRST_ID, SECOND_ID = "20261121t020000z-01kaq3c9", "20261122t020000z-zz00zz00"
T0 = datetime(2026, 11, 21, 2, 0, 0, 123456, tzinfo=UTC)
T1 = T0 + timedelta(days=1)
CHANGED = "O'Brien \u2013 \u201equoted\u201c \U0001f680 \\ back"
_ARROW = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


def _value(athena_type: str, column: str, number: int) -> Any:
    made: dict[str, Any] = {
        "string": f"{column}-{number}",
        "boolean": number % 2 == 0,
        "int": number - 2,
        "bigint": number * 10_000_000_000,
        "date": date(2026, 11, 1) + timedelta(days=number),
        "timestamp": T0 + timedelta(hours=number, microseconds=number),
    }
    return made[athena_type]


def _row(table: CuratedTable, number: int) -> Row:
    """Keys differ by number; every third value that may be NULL is."""
    return tuple(
        None if each.nullable and (number + place) % 3 == 0 else _value(each.athena_type, each.name, number)
        for place, each in enumerate(table.columns)
    )


def first_rows(count: int = 12) -> dict[str, list[Row]]:
    """``count`` rows a table; ``fact_daily_activity`` has none, as in the first run of all."""
    rows = {table.name: [_row(table, number) for number in range(count)] for table in CURATED}
    return {**rows, "fact_daily_activity": []}


def second_rows(count: int = 12) -> dict[str, list[Row]]:
    """Of each table: the first row gone, the second and third changed (to a value, to NULL), two new, all others as they were."""
    rows = first_rows(count)
    for table in CURATED:
        if table.name == "fact_daily_activity":
            rows[table.name] = [_row(table, number) for number in range(count)]
            continue
        kept = rows[table.name][1:]
        place = _changeable(table)
        was = table.columns[place]
        value = CHANGED if was.athena_type == "string" else _value(was.athena_type, was.name, 1_001)
        kept[0] = _with(kept[0], place, value)
        kept[1] = _with(kept[1], place, None if kept[1][place] is not None else value)
        rows[table.name] = [*kept, _row(table, count), _row(table, count + 1)]
    return rows


def _changeable(table: CuratedTable) -> int:
    texts = [n for n, each in enumerate(table.columns) if each.nullable and each.athena_type == "string"]
    return (texts or [n for n, each in enumerate(table.columns) if each.nullable])[0]


def _with(row: Row, place: int, value: Any) -> Row:
    return (*row[:place], value, *row[place + 1 :])


def manifest(run_id: str, created_at: datetime, rows: Rows, files: Mapping[str, RunFile] | None = None) -> CuratedManifest:
    """A run's manifest; without ``files`` it names none, and the rows are claimed by one file that nobody reads."""
    snapshot = IncludedSnapshot("20261120t020000z-01kaq3c9", 1, T0, "0" * 64)

    def table(each: CuratedTable) -> RunTable:
        count = len(rows[each.name])
        key = f"{run_prefix(each.name, run_id)}part-00000.parquet"
        file = RunFile(key, 0, count) if files is None else files[each.name]
        columns = tuple(RunColumn(column.name, column.athena_type) for column in each.columns)
        return RunTable(each.name, count, file.bytes, columns, (file,))

    return CuratedManifest(
        run_id=run_id,
        created_at=created_at,
        previous_run_id=None,
        mode="incremental",
        software={},
        snapshots=(snapshot,),
        pseudonym_key_version=1,
        contract_set_fingerprint="0" * 64,
        small_cell=10,
        tables=tuple(table(each) for each in CURATED),
    )


def run_of(run_id: str, created_at: datetime, rows: Rows, names: Sequence[str] | None = None) -> WarehouseRun:
    """The run as a warehouse takes it; ``names`` leaves other tables out, to be quick."""
    whole = warehouse_run(manifest(run_id, created_at, rows))
    return whole if names is None else replace(whole, tables=tuple(each for each in whole.tables if each.name in names))


def frame_of(spark: SparkSession, folder: Path, name: str, rows: Sequence[Row]) -> DataFrame:
    """By a file: Spark reads one with a tenth of the work that rows of Python cost it."""
    file = folder / f"{name}-{uuid.uuid4().hex}.parquet"
    file.write_bytes(_parquet(curated_table(name), rows))
    return spark.read.schema(curated_table(name).schema()).parquet(str(file))


def _parquet(table: CuratedTable, rows: Sequence[Row]) -> bytes:
    schema = pa.schema([(each.name, _ARROW[each.athena_type]) for each in table.columns])
    columns = list(zip(*rows, strict=True)) or [()] * len(table.columns)
    buffer = io.BytesIO()
    pq.write_table(pa.table([pa.array(values, kind.type) for values, kind in zip(columns, schema, strict=True)], schema=schema), buffer)
    return buffer.getvalue()


def commit(bucket: Bucket, run_id: str, created_at: datetime, rows: Rows) -> CuratedManifest:
    """Writes a run into a bucket as the curating job does: files, manifest, pointer."""
    files = {}
    for table in CURATED:
        body = _parquet(table, rows[table.name])
        key = f"{run_prefix(table.name, run_id)}part-00000.parquet"
        bucket.client.put_object(Bucket=bucket.name, Key=key, Body=body)
        files[table.name] = RunFile(key, len(body), len(rows[table.name]))
    made = manifest(run_id, created_at, rows, files)
    commit_run(bucket, made, current_run(bucket))
    return made


Query = Callable[[str], list[tuple[str | None, ...]]]


def stored(query: Query, table: CuratedTable, zone: str = " AT TIME ZONE 'UTC'") -> list[tuple[str | None, ...]]:
    """What a table in the schema ``accounts`` holds, as text; ``zone`` makes UTC of its instants."""

    def text(name: str, athena_type: str) -> str:
        return f"to_char({name}{zone}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')" if athena_type == "timestamp" else f"{name}::text"

    columns = ", ".join(text(each.name, each.athena_type) for each in table.columns)
    return sorted(query(f"SELECT {columns} FROM accounts.{table.name}"), key=repr)


def texts(rows: Sequence[Row]) -> list[tuple[str | None, ...]]:
    """The same of rows that a run has."""

    def text(value: Any) -> str | None:
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%dT%H:%M:%S.%f")
        if isinstance(value, bool):
            return "true" if value else "false"
        return None if value is None else str(value)

    return sorted([tuple(map(text, row)) for row in rows], key=repr)
