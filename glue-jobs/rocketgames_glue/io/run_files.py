"""The files of a run as a warehouse's load finds them: each one there, of the size, rows and columns that the manifest says."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from rocketgames_glue.io.footers import stored_footer
from rocketgames_glue.io.s3 import Bucket, at_once
from rocketgames_glue.job_error import JobError
from rocketgames_glue.statements.warehouse_run import WarehouseFile, WarehouseRun, WarehouseTable

STORED_TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "date": pa.date32(),
    # INT64 microseconds, adjusted to UTC: what COPY of Redshift and Snowflake take for an instant.
    "timestamp": pa.timestamp("us", tz="UTC"),
}


def check_files(bucket: Bucket, run: WarehouseRun) -> None:
    """Looks at the footer of every file: nothing is loaded of a run that is not whole.

    Spark and Snowflake read a column that a file lacks as NULL, and Redshift reads columns by their position, all without an error.

    :raises JobError: ``run-file-missing``, ``run-file-differs``.
    """
    at_once(lambda entry: _check(bucket, run, *entry), [(table, file) for table in run.tables for file in table.files])


def _check(bucket: Bucket, run: WarehouseRun, table: WarehouseTable, file: WarehouseFile) -> None:
    try:
        footer = stored_footer(bucket, file.key)
    except pa.ArrowException:
        raise _refused("differs", run, file, "is no whole Parquet file") from None
    if footer is None:
        raise _refused("missing", run, file, "is not there")
    if (footer.size_bytes, footer.rows) != (file.bytes, file.rows):
        why = f"has {footer.size_bytes} bytes and {footer.rows} rows where the manifest says {file.bytes} and {file.rows}"
        raise _refused("differs", run, file, why)
    found = [(each.name, each.type) for each in footer.columns]
    wanted = [(each.name, _stored_type(each.athena_type)) for each in table.columns]
    if found != wanted:
        differing = sorted({name for name, _ in set(found) ^ set(wanted)})
        raise _refused("differs", run, file, f"has not the columns that the manifest says ({', '.join(differing) or 'in another order'})")


def _stored_type(athena_type: str) -> pa.DataType:
    found = STORED_TYPES.get(athena_type)
    if found is None:
        raise ValueError(f"no curated table has a column of the type {athena_type}")
    return found


def _refused(kind: str, run: WarehouseRun, file: WarehouseFile, why: str) -> JobError:
    return JobError(
        f"run-file-{kind}",
        f"{file.key} {why}: the run {run.run_id} is not whole, and nothing was loaded. "
        "Was it replaced while this job began? Then run the job again; otherwise make a new one: rocketgames glue curate",
        run_id=run.run_id,
        key=file.key,
    )
