"""Raw snapshots as the service committed them: read by their manifests alone, and checked before Spark reads a row.

A manifest under ``lake-meta/v1/manifests/`` **is** the commit of a snapshot (``src/lake/manifest.ts``, version 1): data files are never
listed. Of every file that a job is going to read the end is fetched first, which tells in one call that the object is there, its size,
that it is the very file of the manifest (SHA-256 of its footer) and how many rows it holds.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from rocketgames_glue.contract import Contract, ContractTable, spark_schema, spark_type
from rocketgames_glue.io.s3 import Bucket, at_once
from rocketgames_glue.job_error import JobError
from rocketgames_glue.job_log import log

MANIFESTS_PREFIX = "lake-meta/v1/manifests/"
RETIRED_PREFIX = "lake-meta/v1/retired/"
SNAPSHOT_ID = re.compile(r"\d{8}t\d{6}z-[0-9a-hjkmnp-tv-z]{8}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TAIL_BYTES = 64 * 1024 * 1024
"""More than any footer: what a manifest may make a job hold in memory for one file."""

M = TypeVar("M")


@dataclass(frozen=True)
class RawFile:
    """One Parquet file; ``tail_bytes`` at its end are the footer, whose SHA-256 is ``tail_sha256``."""

    key: str
    size_bytes: int
    rows: int
    tail_bytes: int
    tail_sha256: str


@dataclass(frozen=True)
class RawColumn:
    """A column of the files, by the contract with which they were written."""

    name: str
    athena_type: str
    action: str


@dataclass(frozen=True)
class RawTable:
    """One Glue table of a snapshot: ``players``, or ``players_v2``."""

    name: str
    contract_version: int
    rows: int
    columns: tuple[RawColumn, ...]
    files: tuple[RawFile, ...]


@dataclass(frozen=True)
class RawManifest:
    """What one snapshot is; ``taken_at`` is the instant that all of its tables show, ``sha256`` that of the manifest's bytes."""

    snapshot_id: str
    sequence: int
    taken_at: datetime
    sha256: str
    pseudonym_key_version: int
    contract_set_fingerprint: str
    tables: Mapping[str, RawTable]


@dataclass(frozen=True)
class RawSource:
    """The table of one snapshot that a job reads, and the contract in whose columns it wants it."""

    table: RawTable
    contract: ContractTable


def snapshot_ids(bucket: Bucket) -> list[str]:
    """All committed snapshots that are not retired, in the order of their ids."""
    ids = []
    for each in bucket.objects(MANIFESTS_PREFIX):
        name = each.key[len(MANIFESTS_PREFIX) :]
        if name.endswith(".json") and SNAPSHOT_ID.fullmatch(name[: -len(".json")]):
            ids.append(name[: -len(".json")])
        else:
            log("foreign-object", key=each.key)
    return ids


def is_retired(bucket: Bucket, snapshot_id: str) -> bool:
    """Has retention removed the snapshot, and keeps its manifest as a record?"""
    return bucket.read(f"{RETIRED_PREFIX}{snapshot_id}.json") is not None


def read_manifest(bucket: Bucket, snapshot_id: str) -> RawManifest | None:
    """The manifest of a snapshot; None where there is none any more.

    :raises JobError: ``manifest-unreadable``.
    """
    key = f"{MANIFESTS_PREFIX}{snapshot_id}.json"
    body = bucket.read(key)
    if body is None:
        return None
    try:
        return _manifest(json.loads(body.content), snapshot_id, hashlib.sha256(body.content).hexdigest())
    except (ValueError, KeyError, TypeError) as error:
        raise JobError(
            "manifest-unreadable",
            f"s3://{bucket.name}/{key} is no manifest of version 1 of this snapshot: {error}. Nothing was written; restore the object from "
            "a noncurrent version of the bucket, or run this job in the release that wrote it",
            snapshot_id=snapshot_id,
            key=key,
        ) from error


def _manifest(given: Any, snapshot_id: str, sha256: str) -> RawManifest:
    if _member(given, "manifest_version", int) != 1:
        raise ValueError(f"manifest_version is {given['manifest_version']}, allowed is 1")
    if _member(given, "snapshot_id", str) != snapshot_id:
        raise ValueError(f"snapshot_id is {given['snapshot_id']!r}, its key says {snapshot_id}")
    taken_at = datetime.fromisoformat(_member(_member(given, "source", dict), "taken_at", str))
    if taken_at.tzinfo is None:
        raise ValueError("source.taken_at has no time zone")
    tables = [_table(each, snapshot_id) for each in _member(given, "tables", list)]
    return RawManifest(
        snapshot_id=snapshot_id,
        sequence=_count(given, "sequence"),
        taken_at=taken_at.astimezone(timezone.utc),
        sha256=sha256,
        pseudonym_key_version=_count(given, "pseudonym_key_version"),
        contract_set_fingerprint=_member(given, "contract_set_fingerprint", str),
        tables={each.name: each for each in tables},
    )


def _table(given: Any, snapshot_id: str) -> RawTable:
    name = _member(given, "name", str)
    columns = tuple(
        RawColumn(_member(each, "name", str), _member(each, "athena_type", str), _member(each, "action", str))
        for each in _member(given, "columns", list)
    )
    files = tuple(_file(each, name, snapshot_id) for each in _member(given, "files", list))
    rows = _count(given, "rows")
    if rows != sum(each.rows for each in files):
        raise ValueError(f"the files of {name} have {sum(each.rows for each in files)} rows, the table {rows}")
    return RawTable(name, _count(given, "contract_version"), rows, columns, files)


def _file(given: Any, table: str, snapshot_id: str) -> RawFile:
    """A key that is not one of this table in this snapshot is refused: ``..``, another folder, another bucket's address."""
    key = _member(given, "key", str)
    day = f"{snapshot_id[:4]}-{snapshot_id[4:6]}-{snapshot_id[6:8]}"
    folder = f"lake/v1/{table}/snapshot_date={day}/snapshot_id={snapshot_id}/"
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", table) or not re.fullmatch(re.escape(folder) + r"part-\d{2}-\d{5}\.parquet", key):
        raise ValueError(f"{key!r} is no key of a file of {table!r} in this snapshot: {folder}part-00-00000.parquet is the form")
    sha256 = _member(given, "tail_sha256", str)
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"tail_sha256 of {key} is no SHA-256")
    tail_bytes = _count(given, "tail_bytes")
    if not 8 < tail_bytes <= min(_count(given, "bytes"), _TAIL_BYTES):
        raise ValueError(f"tail_bytes of {key} is {tail_bytes}")
    return RawFile(key, _count(given, "bytes"), _count(given, "rows"), tail_bytes, sha256)


def _member(given: Any, name: str, kind: type[M]) -> M:
    value = given[name] if isinstance(given, dict) and name in given else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{name} is missing or no {kind.__name__}")
    return value


def _count(given: Any, name: str) -> int:
    value = _member(given, name, int)
    if value < 0:
        raise ValueError(f"{name} is below 0")
    return value


def sources(manifest: RawManifest, contract: Contract, tables: Iterable[str]) -> dict[str, RawSource]:
    """The tables of a snapshot that a job reads, by lake table.

    Columns that were appended to the contract since are absent from the files and read as NULL; a snapshot that holds an earlier
    version of a table alone is read in the types of the current one.

    :raises JobError: ``contract-newer``, ``column-missing``, ``contract-conflict``, ``table-missing``.
    """
    found = {}
    for name in tables:
        current = contract.tables[name]
        table = _held_version(manifest, current)
        _check_columns(manifest, table, current)
        found[name] = RawSource(table, current)
    return found


def _held_version(manifest: RawManifest, current: ContractTable) -> RawTable:
    """The newest version that the snapshot holds and this job knows."""
    pattern = re.compile(re.escape(current.lake_table) + r"(_v\d+)?")
    held = sorted((each for each in manifest.tables.values() if pattern.fullmatch(each.name)), key=lambda each: each.contract_version)
    known = [each for each in held if each.contract_version <= current.version]
    if known:
        return known[-1]
    if held:
        raise _contract_newer(manifest, f"{current.lake_table} in version {held[0].contract_version}, this job knows {current.version}")
    raise JobError(
        "table-missing",
        f"Snapshot {manifest.snapshot_id} has no table {current.lake_table}, which this job reads. Nothing was written",
        snapshot_id=manifest.snapshot_id,
        table=current.lake_table,
    )


def _check_columns(manifest: RawManifest, table: RawTable, current: ContractTable) -> None:
    if table.contract_version != current.version:
        wanted = {each.name for each in current.columns if each.name in current.primary_key}
        missing = sorted(wanted - {each.name for each in table.columns})
        if missing:
            raise _column_missing(manifest, table, missing)
        return
    known = [each.name for each in current.columns]
    given = [each.name for each in table.columns]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise _contract_newer(manifest, f"{table.name} with the columns {', '.join(unknown)}, which this job does not know")
    # Within a version columns are only ever appended, so what an older snapshot lacks is the end of the list.
    missing = [name for name in known[: len(given)] if name not in given]
    if missing or not given:
        raise _column_missing(manifest, table, missing or known)
    for column in table.columns:
        expected = current.column(column.name)
        if (column.athena_type, column.action) != (expected.athena_type, expected.action):
            raise JobError(
                "contract-conflict",
                f"Snapshot {manifest.snapshot_id} has {table.name}.{column.name} as {column.athena_type} ({column.action}), the contract "
                f"of this job as {expected.athena_type} ({expected.action}). Nothing was written; run the job in the release of the service",
                snapshot_id=manifest.snapshot_id,
                table=table.name,
                column=column.name,
            )


def _contract_newer(manifest: RawManifest, what: str) -> JobError:
    return JobError(
        "contract-newer",
        f"Snapshot {manifest.snapshot_id} has {what}. Nothing was written; deploy the jobs in the release of the service that took it",
        snapshot_id=manifest.snapshot_id,
    )


def _column_missing(manifest: RawManifest, table: RawTable, missing: Sequence[str]) -> JobError:
    return JobError(
        "column-missing",
        f"Snapshot {manifest.snapshot_id} lacks columns of {table.name} that the job needs: {', '.join(missing)}. Nothing was written",
        snapshot_id=manifest.snapshot_id,
        table=table.name,
        columns=list(missing),
    )


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
