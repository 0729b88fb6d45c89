"""What the service does around the job, for tests: holds an instant of the database, begins uploads, writes a plan, completes uploads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from file_oracle import athena_type
from pyspark.sql import SparkSession

from rocketgames_glue.unload.plan import KeyColumn, PlanColumn, UnloadPlan, read_plan

SNAPSHOT_ID = "20261123t020000z-01kaq3c9"
KEY_ENV = "TEST_UNLOAD_PSEUDONYM_KEY"
PLAN_KEY = f"unload/v1/{SNAPSHOT_ID}/plan.json"
REPORT_KEY = f"unload/v1/{SNAPSHOT_ID}/report.json"


class Held(NamedTuple):
    """A snapshot of the database: its name, and what it sees."""

    name: str
    visible: str


@contextmanager
def connection(spark: SparkSession, postgres: Any) -> Iterator[Callable[[str], list[str]]]:
    """A connection of its own: a function that runs a statement and answers with its first row, if it has any."""
    jvm = spark.sparkContext._jvm
    url = f"{postgres.jdbc_url}?user={postgres.user}&password={postgres.password}"
    opened = jvm.org.postgresql.Driver().connect(url, jvm.java.util.Properties())

    def run(sql: str) -> list[str]:
        statement = opened.createStatement()
        if not statement.execute(sql):
            return []
        result = statement.getResultSet()
        return [result.getString(i + 1) for i in range(result.getMetaData().getColumnCount())] if result.next() else []

    try:
        yield run
    finally:
        opened.close()


@contextmanager
def held_snapshot(spark: SparkSession, postgres: Any) -> Iterator[Held]:
    """A transaction that sees this moment, as long as it lasts."""
    with connection(spark, postgres) as run:
        run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield Held(*run("SELECT pg_export_snapshot(), pg_current_snapshot()::text"))


def table_entry(
    aws: Any,
    name: str,
    columns: Sequence[PlanColumn],
    select: str,
    conditions: Sequence[str],
    key: Sequence[KeyColumn] = (KeyColumn("id", 0),),
    min_key_column: str | None = "id",
) -> dict[str, Any]:
    """The entry of a table in the plan; its uploads are begun."""
    ranges = []
    for number, condition in enumerate(conditions):
        object_key = f"lake/v1/{name}/snapshot_date=2026-11-23/snapshot_id={SNAPSHOT_ID}/part-{number:03}-00000.parquet"
        upload = aws.client("s3").create_multipart_upload(Bucket=aws.bucket, Key=object_key, ChecksumAlgorithm="CRC32")
        ranges.append(
            {"range": condition, "number": number, "key": object_key, "upload_id": upload["UploadId"], "estimated_rows": 10}
        )
    shown = [
        {
            "name": each.name,
            "source": each.source,
            "pg_type": each.pg_type,
            "athena_type": athena_type(each),
            "action": each.action,
            "nullable": each.nullable,
            "on_unrepresentable": each.on_unrepresentable,
            "stats": each.stats,
        }
        for each in columns
    ]
    return {
        "name": name,
        "table": f"{name}_row",
        "fingerprint": "f" * 64,
        "contract_version": 1,
        "select": select,
        "columns": shown,
        "key": [asdict(each) for each in key],
        "ranges": ranges,
        "min_key_column": min_key_column,
    }


def plan_content(aws: Any, postgres: Any, snapshot: Held, tables: Sequence[dict[str, Any]], **changes: Any) -> bytes:
    """The plan as the service writes it."""
    init = (
        f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '{snapshot.name}'; SET LOCAL timezone = 'UTC'; "
        "SET LOCAL statement_timeout = 60000; SET LOCAL search_path = public"
    )
    plan = {
        "plan_version": 1,
        "snapshot_id": SNAPSHOT_ID,
        "bucket": aws.bucket,
        "jdbc": {
            "url": f"{postgres.jdbc_url}?ApplicationName=rocketgames-snapshot%3A{SNAPSHOT_ID}",
            "user": postgres.user,
            "exported_snapshot": snapshot.name,
            "session_init": init,
            "visible": snapshot.visible,
        },
        "taken_at": "2026-11-23T02:00:00.000Z",
        "wal_lsn": "0/1",
        "created_by": "rocketgames-accounts version 1.2.3 (build abc)",
        "codec": "zstd",
        "row_group_rows": 1_000,
        "row_group_bytes": 64 << 20,
        "part_bytes": 5 << 20,
        "most_parts": 9_000,
        "pseudonym_key_version": 1,
        "report": REPORT_KEY,
        "tables": list(tables),
    }
    return json.dumps({**plan, **changes}).encode()


def plan(aws: Any, postgres: Any, snapshot: Held, tables: Sequence[dict[str, Any]], **changes: Any) -> UnloadPlan:
    return read_plan(plan_content(aws, postgres, snapshot, tables, **changes), PLAN_KEY)


def complete(aws: Any, file: dict[str, Any], folder: Path) -> Path:
    """Completes an upload as the report says, and fetches the object."""
    parts = [{"PartNumber": each["number"], "ETag": each["etag"], "ChecksumCRC32": each["crc32"]} for each in file["parts"]]
    aws.client("s3").complete_multipart_upload(
        Bucket=aws.bucket, Key=file["key"], UploadId=file["upload_id"], MultipartUpload={"Parts": parts}
    )
    path = folder / file["key"].replace("/", "_")
    path.write_bytes(aws.read(file["key"]))
    return path
