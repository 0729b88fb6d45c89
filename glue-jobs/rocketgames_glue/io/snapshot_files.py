"""The files of a snapshot: checked before Spark reads a row, then read, exactly those that the manifest names.

Of every file that a job is going to read the end is fetched first, which tells in one call that the object is there, its size, that it is
the very file of the manifest (SHA-256 of its footer) and how many rows it holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from rocketgames_glue.contract import spark_schema, spark_type
from rocketgames_glue.io.s3 import Bucket, at_once
from rocketgames_glue.io.snapshot_sources import RawSource
from rocketgames_glue.io.snapshots import RawFile, RawManifest, is_retired
from rocketgames_glue.job_error import JobError


def check_files(bucket: Bucket, manifest: RawManifest, tables: Iterable[RawSource]) -> bool:
    """Fetches the end of every file and compares it with the manifest: there, of that size, that very footer, that many rows.

    :returns: False when a file is gone because retention has removed the snapshot meanwhile.
    :raises JobError: ``file-missing``, ``file-mismatch``, ``count-mismatch``.
    """
    files = [(source.table, file) for source in tables for file in source.table.files]
    try:
        counted = at_once(lambda entry: _footer_rows(bucket, manifest.snapshot_id, entry[1]), files)
    except JobError as error:
        if error.code == "file-missing" and is_retired(bucket, manifest.snapshot_id):
            return False
        raise
    for (table, file), rows in zip(files, counted, strict=True):
        if rows != file.rows:
            raise JobError(
                "count-mismatch",
                f"{file.key} has {rows} rows, the manifest of its snapshot says {file.rows} of {table.name}. Nothing was written; "
                "do not use the snapshot, and take a new one",
                snapshot_id=manifest.snapshot_id,
                key=file.key,
                found=rows,
                expected=file.rows,
            )
    return True


def _footer_rows(bucket: Bucket, snapshot_id: str, file: RawFile) -> int:
    tail = bucket.tail(file.key, file.tail_bytes)
    about = {"snapshot_id": snapshot_id, "key": file.key}
    if tail is None:
        raise JobError(
            "file-missing",
            f"s3://{bucket.name}/{file.key} is not there, though the manifest of snapshot {snapshot_id} names it. Nothing was written; "
            'if retention is at work, run the job again in some minutes, otherwise see what "rocketgames verify" says',
            **about,
        )
    if tail.size_bytes != file.size_bytes or hashlib.sha256(tail.content).hexdigest() != file.tail_sha256:
        found = f"{tail.size_bytes} bytes" if tail.size_bytes != file.size_bytes else "another footer"
        raise JobError(
            "file-mismatch",
            f"s3://{bucket.name}/{file.key} has {found}, the manifest says {file.size_bytes} bytes and footer {file.tail_sha256[:12]}…. "
            'Nothing was written; see what "rocketgames verify" says',
            **about,
        )
    try:
        return footer_rows(tail.content)
    except pa.ArrowException as error:
        raise JobError("file-mismatch", f"s3://{bucket.name}/{file.key} is no Parquet file: {error}. Nothing was written", **about) from error


def footer_rows(tail: bytes) -> int:
    """Rows of a Parquet file, of which the end is enough.

    :raises pa.ArrowException: it is no Parquet file.
    """
    return pq.read_metadata(pa.BufferReader(tail)).num_rows


def read_raw(spark: SparkSession, root: str, source: RawSource) -> DataFrame:
    """The rows of a table in the columns of the current contract, out of exactly the manifest's files.

    :param root: ``s3a://<bucket>/``.
    """
    table, contract = source.table, source.contract
    if not table.files:
        return spark.createDataFrame([], spark_schema(contract))
    schema = T.StructType([T.StructField(each.name, spark_type(each.athena_type), True) for each in table.columns])
    frame = spark.read.schema(schema).parquet(*[root + each.key for each in table.files])
    held = {each.name: each for each in table.columns}
    selected = []
    for column in contract.columns:
        own = held.get(column.name)
        text = column.spark_type.simpleString()
        if own is None or own.action != column.action:  # a value of another action means something else: a pseudonym is no id
            selected.append(F.lit(None).cast(column.spark_type).alias(column.name))
        elif own.athena_type != column.athena_type:
            selected.append(F.expr(f"try_cast(`{column.name}` AS {text})").alias(column.name))
        else:
            selected.append(F.col(column.name))
    return frame.select(*selected)
