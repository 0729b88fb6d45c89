"""The runs of the curated zone: keys, manifests, and the pointer whose PUT is the commit.

``curated/v1/<table>/run_id=<run_id>/part-*.parquet``       files, written once, never changed
``curated-meta/v1/<run_id>.json``                           what the run is, PUT If-None-Match: *
``curated-meta/v1/CURRENT.json``                            the run that the views show, PUT If-Match: the point of no return
``curated-meta/v1/published/<run_id>.json``                 since when the views have shown it
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.job_error import JobError

CURATED_PREFIX = "curated/v1/"
META_PREFIX = "curated-meta/v1/"
CURRENT_KEY = f"{META_PREFIX}CURRENT.json"
PUBLISHED_PREFIX = f"{META_PREFIX}published/"
RUN_ID = re.compile(r"\d{8}t\d{6}z-[0-9a-hjkmnp-tv-z]{8}")
TABLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True)
class RunFile:
    """One Parquet file of a run; ``rows`` as its footer says."""

    key: str
    bytes: int
    rows: int


@dataclass(frozen=True)
class RunColumn:
    """A column as Athena says it."""

    name: str
    type: str


@dataclass(frozen=True)
class RunTable:
    """One curated table of a run."""

    name: str
    rows: int
    bytes: int
    columns: tuple[RunColumn, ...]
    files: tuple[RunFile, ...]


@dataclass(frozen=True)
class IncludedSnapshot:
    """A snapshot that a run is made of; ``taken_at`` is UTC."""

    snapshot_id: str
    sequence: int
    taken_at: datetime
    manifest_sha256: str


@dataclass(frozen=True)
class CuratedManifest:
    """Everything that one run is; ``snapshots`` are all that its tables are made of, ascending by ``taken_at``."""

    run_id: str
    created_at: datetime
    previous_run_id: str | None
    mode: str
    software: Mapping[str, str]
    snapshots: tuple[IncludedSnapshot, ...]
    pseudonym_key_version: int
    contract_set_fingerprint: str
    small_cell: int
    tables: tuple[RunTable, ...]

    def table(self, name: str) -> RunTable | None:
        """The table of that name; None where the run has none."""
        return next((each for each in self.tables if each.name == name), None)

    def body(self) -> bytes:
        """Canonical JSON: the same run gives the same bytes."""
        tables = [asdict(each) for each in self.tables]
        totals = {
            "rows": sum(each.rows for each in self.tables),
            "bytes": sum(each.bytes for each in self.tables),
            "files": sum(len(each.files) for each in self.tables),
        }
        snapshots = [{**asdict(each), "taken_at": instant(each.taken_at)} for each in self.snapshots]
        members = {name: getattr(self, name) for name in self.__dataclass_fields__}
        whole = {**members, "created_at": instant(self.created_at), "snapshots": snapshots, "tables": tables}
        return json.dumps({"curated_version": 1, **whole, "totals": totals}, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class CurrentRun:
    """The run that the pointer names; ``etag`` is that of the pointer."""

    manifest: CuratedManifest
    etag: str


def new_run_id(now: datetime) -> str:
    """UTC second of the start, ``-``, 8 random characters: the form of a snapshot's id, and ordered by time as those are."""
    return now.strftime("%Y%m%dt%H%M%Sz-") + "".join(secrets.choice(_CROCKFORD) for _ in range(8))


def run_started_at(run_id: str) -> datetime:
    """The instant in a run's id, UTC."""
    return datetime.strptime(run_id[:16], "%Y%m%dt%H%M%Sz").replace(tzinfo=timezone.utc)


def instant(value: datetime) -> str:
    """``2026-11-23T02:00:00.123Z``; microseconds only where there are any."""
    utc = value.astimezone(timezone.utc)
    spec = "microseconds" if utc.microsecond % 1000 else "milliseconds"
    return utc.isoformat(timespec=spec).replace("+00:00", "Z")


def table_prefix(table: str) -> str:
    """Folder of a curated table: the Glue table's location."""
    return f"{CURATED_PREFIX}{table}/"


def run_prefix(table: str, run_id: str) -> str:
    """Folder of one table in one run: the Glue partition's location, and the only place where that run writes that table."""
    return f"{table_prefix(table)}run_id={run_id}/"


def folder_marker(prefix: str) -> str:
    """The empty object that ``s3://`` of AWS Glue puts **beside** a folder which it writes to; nobody needs it."""
    return f"{prefix.rstrip('/')}_$folder$"


def manifest_key(run_id: str) -> str:
    """Key of a run's manifest."""
    return f"{META_PREFIX}{run_id}.json"


def published_key(run_id: str) -> str:
    """Key of the record that the views have shown a run; S3's time of it is since when."""
    return f"{PUBLISHED_PREFIX}{run_id}.json"


def current_run(bucket: Bucket) -> CurrentRun | None:
    """The committed run that the views show, or are about to; None where there has never been one.

    :raises JobError: ``curated-unreadable`` when the pointer or its manifest is missing, damaged or not of each other.
    """
    pointer = bucket.read(CURRENT_KEY)
    if pointer is None:
        return None
    try:
        given = json.loads(pointer.content)
        run_id, sha256 = given["run_id"], given["manifest_sha256"]
        if not RUN_ID.fullmatch(run_id):
            raise ValueError(f"{run_id!r} is no id of a run")
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(bucket, CURRENT_KEY, str(error)) from error
    body = bucket.read(manifest_key(run_id))
    if body is None:
        raise _unreadable(bucket, manifest_key(run_id), "it is not there, though CURRENT.json names it")
    if hashlib.sha256(body.content).hexdigest() != sha256:
        raise _unreadable(bucket, manifest_key(run_id), "its SHA-256 is not the one in CURRENT.json")
    return CurrentRun(_parsed(bucket, run_id, body.content), pointer.etag)


def read_run(bucket: Bucket, run_id: str) -> CuratedManifest | None:
    """The manifest of a run; None where there is none (any more)."""
    body = bucket.read(manifest_key(run_id))
    return None if body is None else _parsed(bucket, run_id, body.content)


def _parsed(bucket: Bucket, run_id: str, content: bytes) -> CuratedManifest:
    try:
        return _manifest(json.loads(content), run_id)
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(bucket, manifest_key(run_id), f"it is no manifest of version 1: {error}") from error


def _unreadable(bucket: Bucket, key: str, why: str) -> JobError:
    return JobError(
        "curated-unreadable",
        f"s3://{bucket.name}/{key} cannot be used: {why}. Nothing was written; restore the object from a noncurrent version of the bucket. "
        "Without one remove CURRENT.json and run the job again, which makes all tables anew out of the snapshots that are there",
        key=key,
    )


def _manifest(given: Any, run_id: str) -> CuratedManifest:
    if given["curated_version"] != 1 or given["run_id"] != run_id:
        raise ValueError(f"version {given['curated_version']} of {given['run_id']}")
    snapshots = tuple(IncludedSnapshot(**{**each, "taken_at": datetime.fromisoformat(each["taken_at"])}) for each in given["snapshots"])
    return CuratedManifest(
        run_id=run_id,
        created_at=datetime.fromisoformat(given["created_at"]),
        previous_run_id=given["previous_run_id"],
        mode=given["mode"],
        software=given["software"],
        snapshots=snapshots,
        pseudonym_key_version=given["pseudonym_key_version"],
        contract_set_fingerprint=given["contract_set_fingerprint"],
        small_cell=given["small_cell"],
        tables=tuple(_table(each, run_id) for each in given["tables"]),
    )


def _table(given: Any, run_id: str) -> RunTable:
    name = given["name"]
    if not TABLE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a table")
    files = tuple(RunFile(**each) for each in given["files"])
    for file in files:
        rest = file.key.removeprefix(run_prefix(name, run_id))
        if rest == file.key or "/" in rest or not rest.endswith(".parquet"):
            raise ValueError(f"{file.key!r} is no key of a file of {name} in this run")
    columns = tuple(RunColumn(**each) for each in given["columns"])
    return RunTable(name, given["rows"], given["bytes"], columns, files)


def commit_run(bucket: Bucket, manifest: CuratedManifest, former: CurrentRun | None) -> None:
    """Writes the manifest, then moves the pointer from the former run to this one: the point of no return.

    :raises JobError: ``lost-race`` when another run was committed meanwhile: this one is not committed, and never will be;
        ``storage-failed`` when S3 gives no clear answer: it may be committed, so its files must stay where they are.
    """
    body = manifest.body()
    if not bucket.create(manifest_key(manifest.run_id), body):
        raise JobError("lost-race", f"Another run has the id {manifest.run_id}; run the job again", run_id=manifest.run_id)
    pointer = json.dumps(
        {"manifest_sha256": hashlib.sha256(body).hexdigest(), "run_id": manifest.run_id}, sort_keys=True, separators=(",", ":")
    ).encode()
    moved = bucket.create(CURRENT_KEY, pointer) if former is None else bucket.replace(CURRENT_KEY, pointer, former.etag)
    if not moved:
        raise JobError(
            "lost-race",
            f"another run was committed meanwhile, so run {manifest.run_id} is given up and its files are removed. "
            "Nothing is lost: run the job again if snapshots are left to take in",
            run_id=manifest.run_id,
        )


def mark_published(bucket: Bucket, run_id: str) -> None:
    """Records that the views show a run. The first record stays: it says since when."""
    bucket.create(published_key(run_id), json.dumps({"run_id": run_id}).encode())
