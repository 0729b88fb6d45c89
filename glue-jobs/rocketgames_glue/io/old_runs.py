"""What becomes of runs that nobody reads any more: replaced ones, and those of jobs that died."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rocketgames_glue.io.catalogue import Catalogue
from rocketgames_glue.io.curated_runs import (
    PUBLISHED_PREFIX,
    RUN_ID,
    CuratedManifest,
    current_run,
    manifest_key,
    published_key,
    read_run,
    remove_files,
    run_ids,
    run_started_at,
)
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.job_error import JobError
from rocketgames_glue.job_log import log

REPLACED_GRACE = timedelta(minutes=60)
"""Longer than Athena lets a query run, from when the views showed the next run."""
DEAD_AFTER = timedelta(hours=24)
"""A run that is not committed by then is dead; a job that is still at it is refused its commit."""


@dataclass(frozen=True)
class Known:
    """All runs that have left something. ``chain``: the committed ones whose manifests are there, the current one first."""

    chain: tuple[str, ...]
    with_manifest: frozenset[str]
    folders: dict[str, set[str]]
    published_at: dict[str, datetime]


def known_runs(bucket: Bucket) -> Known:
    """Looks at manifests, folders, pending uploads and records of publication."""
    with_manifest, folders = run_ids(bucket)
    published = {}
    for each in bucket.objects(PUBLISHED_PREFIX):
        run_id = each.key[len(PUBLISHED_PREFIX) :].removesuffix(".json")
        if RUN_ID.fullmatch(run_id):
            published[run_id] = each.modified
    chain: list[str] = []
    current = current_run(bucket)
    manifest = current.manifest if current else None
    while manifest is not None and manifest.run_id not in chain:
        chain.append(manifest.run_id)
        before = manifest.previous_run_id
        manifest = _readable(bucket, before) if before is not None and before in with_manifest else None
    return Known(tuple(chain), frozenset(with_manifest), folders, published)


def _readable(bucket: Bucket, run_id: str) -> CuratedManifest | None:
    """A damaged manifest of a run that nobody reads stops no job."""
    try:
        return read_run(bucket, run_id)
    except JobError as error:
        if error.code != "curated-unreadable":
            raise
        log("damaged-manifest", run_id=run_id, reason=error.message)
        return None


def removable(known: Known, now: datetime, keep_runs: int) -> list[str]:
    """The runs that may go, oldest first.

    Of the committed ones the newest ``keep_runs`` stay, and each stays for an hour after the views have shown a later one. One that is
    not in their line never was, or was given up: it goes a day after it began.
    """
    kept = set(known.chain[:keep_runs])
    due = []
    for run_id in sorted(known.with_manifest | known.folders.keys() | known.published_at.keys()):
        if run_id in kept:
            continue
        if run_id in known.chain:
            later = known.chain[: known.chain.index(run_id)]
            replaced = min((known.published_at[each] for each in later if each in known.published_at), default=now)
            if now - replaced >= REPLACED_GRACE:
                due.append(run_id)
        elif now - run_started_at(run_id) >= DEAD_AFTER:
            due.append(run_id)
    return due


def remove_old_runs(bucket: Bucket, catalogue: Catalogue, now: datetime, keep_runs: int) -> list[str]:
    """Partitions first, then files and uploads, the manifest last: each step may be repeated, and a crash between two leaves no partition
    without its files.

    :returns: the runs that were removed.
    """
    known = known_runs(bucket)
    due = removable(known, now, keep_runs)
    for run_id in due:
        manifest = _readable(bucket, run_id) if run_id in known.with_manifest else None
        tables = known.folders.get(run_id, set()) | {each.name for each in (manifest.tables if manifest else ())}
        catalogue.unregister(sorted(tables), run_id)
        removed = remove_files(bucket, run_id, tables)
        bucket.remove([published_key(run_id), manifest_key(run_id)])
        log("run-removed", run_id=run_id, was="replaced" if run_id in known.chain else "dead", objects=removed)
    return due


def discard_run(bucket: Bucket, run_id: str, tables: set[str]) -> None:
    """Removes what a run has written that was not committed, its manifest included."""
    removed = remove_files(bucket, run_id, tables)
    bucket.remove([manifest_key(run_id)])
    log("run-discarded", run_id=run_id, objects=removed)
