"""Raw snapshots as the service committed them: read by their manifests alone.

A manifest under ``lake-meta/v1/manifests/`` **is** the commit of a snapshot (``src/lake/manifest.ts``, version 1): data files are never
listed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeVar

from rocketgames_glue.io.s3 import Bucket
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
