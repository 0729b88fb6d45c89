"""Curated tables as files: written under a run of their own, read back by their footers, read again by the list of a manifest."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Mapping

import pyarrow as pa
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from rocketgames_glue.arguments import Place
from rocketgames_glue.io.curated_runs import RunColumn, RunFile, RunTable, folder_marker, run_prefix
from rocketgames_glue.io.footers import StoredFooter, stored_footer
from rocketgames_glue.io.s3 import Bucket, at_once
from rocketgames_glue.job_error import JobError
from rocketgames_glue.tables import CuratedTable

_OBSERVATION_SECONDS = 60
_FILE_SIZING: Mapping[str, str] = {
    # Tasks, and so files, by bytes of the shuffle, not by the number of cores: files of 128 to 256 MB, and a small table is one file.
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "320m",
}
_PARTITION_BYTES = 16 * 1024 * 1024
_MOST_PARTITIONS = 2_000
_WRITE_OPTIONS: Mapping[str, str] = {
    # Folders of the curated zone hold Parquet and nothing else.
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    "compression": "zstd",
}


def file_sizing(input_bytes: int, cores: int) -> dict[str, str]:
    """Settings of Spark for a run that reads so many bytes of Parquet: shuffles begin with partitions of which a core sorts one in memory,
    and those that turn out small are put together."""
    partitions = max(cores, min(_MOST_PARTITIONS, input_bytes // _PARTITION_BYTES))
    return {**_FILE_SIZING, "spark.sql.adaptive.coalescePartitions.initialPartitionNum": str(partitions)}


def footer_of(bucket: Bucket, key: str) -> StoredFooter:
    """Size and rows of a stored Parquet file, by its end alone.

    :raises JobError: ``file-missing``, ``file-mismatch``.
    """
    try:
        footer = stored_footer(bucket, key)
    except pa.ArrowException as error:
        raise JobError("file-mismatch", f"s3://{bucket.name}/{key} is no Parquet file: {error}", key=key) from error
    if footer is None:
        raise JobError("file-missing", f"s3://{bucket.name}/{key} is not there. Nothing was written by this run", key=key)
    return footer


def check_run_files(bucket: Bucket, tables: Iterable[RunTable]) -> None:
    """Are the files of a former run what its manifest says? A table that is read in part makes wrong tables without an error.

    :raises JobError: ``file-missing``, ``file-mismatch``, ``count-mismatch``.
    """
    files = [file for table in tables for file in table.files]
    for file, footer in zip(files, at_once(lambda each: footer_of(bucket, each.key), files), strict=True):
        if (footer.size_bytes, footer.rows) != (file.bytes, file.rows):
            raise JobError(
                "file-mismatch" if footer.size_bytes != file.bytes else "count-mismatch",
                f"{file.key} of the former run has {footer.size_bytes} bytes and {footer.rows} rows, its manifest says {file.bytes} and "
                f"{file.rows}. Nothing was written; restore the object, or make the tables anew with --full-rebuild",
                key=file.key,
            )


def read_table(spark: SparkSession, place: Place, stored: RunTable, table: CuratedTable) -> DataFrame:
    """The rows of a stored table in the columns of today; one that was added since is NULL."""
    schema = table.schema()
    if not stored.files:
        return spark.createDataFrame([], schema)
    held = {each.name for each in stored.columns}
    frame = spark.read.schema(schema).parquet(*[place.uri(file.key) for file in stored.files])
    return frame.select(*[F.col(each.name) if each.name in held else F.lit(None).cast(each.dataType).alias(each.name) for each in schema])


def write_table(frame: DataFrame, place: Place, bucket: Bucket, table: CuratedTable, run_id: str) -> RunTable:
    """Writes one table of a run and reads back what S3 has of it.

    Each file is sorted, so that an engine skips row groups and pages; nothing that is there is ever written over.

    :raises JobError: ``count-mismatch`` when the files hold other rows than Spark wrote.
    """
    _check_schema(frame, table)
    written = Observation(f"{table.name} {run_id}")
    prefix = run_prefix(table.name, run_id)
    # By the first column of the order, so that what a query asks for lies in few files, and a task that runs again gives the same rows.
    sized = frame.sparkSession.sql(f"SELECT /*+ REBALANCE({table.sort_by[0]}) */ * FROM {{rows}}", rows=frame)
    # Counted by the tasks that write: Spark counts each of those once, others again whenever a lost worker makes them run again.
    counted = sized.sortWithinPartitions(*table.sort_by).observe(written, F.count(F.lit(1)).alias("rows"))
    counted.write.options(**_WRITE_OPTIONS).mode("errorifexists").parquet(place.uri(prefix.rstrip("/")))
    files = _stored_files(bucket, prefix)
    rows = sum(each.rows for each in files)
    counted_rows = _observed_rows(written) if rows > 0 or not frame.isEmpty() else 0
    if rows != counted_rows:
        raise JobError(
            "count-mismatch",
            f"Spark wrote {counted_rows} rows of {table.name}, the footers of its files say {rows}. Nothing was committed; "
            "run the job again, and report it if that shows the same",
            table=table.name,
            found=rows,
            expected=counted_rows,
        )
    columns = tuple(RunColumn(each.name, each.athena_type) for each in table.columns)
    return RunTable(table.name, rows, sum(each.bytes for each in files), columns, files)


def _observed_rows(written: Observation) -> int:
    """What Spark counted while it wrote; -1 when it does not say. The answer comes by itself soon after the write, but where Spark found
    out that there is nothing to count it never does, and the call would wait for ever."""
    answer: queue.SimpleQueue[int] = queue.SimpleQueue()
    threading.Thread(target=lambda: answer.put(int(written.get["rows"])), daemon=True).start()
    try:
        return answer.get(timeout=_OBSERVATION_SECONDS)
    except queue.Empty:
        return -1


def _check_schema(frame: DataFrame, table: CuratedTable) -> None:
    found = [(each.name, each.dataType) for each in frame.schema]
    wanted = [(each.name, each.spark_type) for each in table.columns]
    if found != wanted:
        differing = [name for name, _ in set(found) ^ set(wanted)]
        names = sorted(set(differing))
        raise JobError("schema-mismatch", f"{table.name} was built otherwise than it is described: {names}", table=table.name)


def _stored_files(bucket: Bucket, prefix: str) -> tuple[RunFile, ...]:
    """What a committer leaves besides the files (a marker of success, empty objects for folders) is removed."""
    keys = [each.key for each in bucket.objects(prefix)]
    parquet = [key for key in keys if key.endswith(".parquet") and not _is_hidden(key[len(prefix) :])]
    bucket.remove([folder_marker(prefix), *(key for key in keys if key not in parquet)])
    footers = at_once(lambda key: footer_of(bucket, key), parquet)
    return tuple(RunFile(key, footer.size_bytes, footer.rows) for key, footer in zip(parquet, footers, strict=True))


def _is_hidden(path: str) -> bool:
    return any(part.startswith(("_", ".")) for part in path.split("/"))

