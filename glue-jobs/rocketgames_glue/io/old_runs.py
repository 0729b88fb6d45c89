"""What becomes of runs that nobody reads any more: replaced ones, and those of jobs that died."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rocketgames_glue.io.catalogue import Catalogue
from rocketgames_glue.io.curated_runs import (
    CURATED_PREFIX,
    META_PREFIX,
    PUBLISHED_PREFIX,
    RUN_ID,
    TABLE_NAME,
    CuratedManifest,
    current_run,
    folder_marker,
    manifest_key,
    published_key,
    read_run,
    run_prefix,
    run_started_at,
    table_prefix,
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
    with_manifest, folders = _run_ids(bucket)
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

    Of the committed ones the newest ``keep_runs`` stay, and each that the views have shown stays for an hour after they have shown a later
    one of the current run's line; that also holds where somebody removed CURRENT.json and a new line began. A run that was never shown
    and is in no line was given up, or died: it goes a day after it began.
    """
    kept = set(known.chain[:keep_runs])
    due = []
    for run_id in sorted(known.with_manifest | known.folders.keys() | known.published_at.keys()):
        if run_id in kept:
            continue
        if run_id in known.chain or run_id in known.published_at:
            if now - min(_shown_after(known, run_id), default=now) >= REPLACED_GRACE:
                due.append(run_id)
        elif now - run_started_at(run_id) >= DEAD_AFTER:
            due.append(run_id)
    return due


def _shown_after(known: Known, run_id: str) -> list[datetime]:
    """When the views showed the runs that came after this one."""
    later = known.chain[: known.chain.index(run_id)] if run_id in known.chain else known.chain
    shown = [known.published_at[each] for each in later if each in known.published_at]
    return [each for each in shown if run_id in known.chain or each > known.published_at[run_id]]


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


def _run_ids(bucket: Bucket) -> tuple[set[str], dict[str, set[str]]]:
    """The runs that have a manifest, and of every run that has a folder the tables that it has one of."""
    with_manifest = set()
    for each in bucket.objects(META_PREFIX):
        name = each.key[len(META_PREFIX) :].removesuffix(".json")
        if RUN_ID.fullmatch(name):
            with_manifest.add(name)
    folders: dict[str, set[str]] = {}
    for table in bucket.folders(CURATED_PREFIX):
        for run_id in _runs_of(bucket, table):
            folders.setdefault(run_id, set()).add(table)
    # An upload that was never completed is in no listing of objects.
    for upload in bucket.pending_uploads(CURATED_PREFIX):
        table, _, rest = upload.key[len(CURATED_PREFIX) :].partition("/run_id=")
        if TABLE_NAME.fullmatch(table) and RUN_ID.fullmatch(rest.partition("/")[0]):
            folders.setdefault(rest.partition("/")[0], set()).add(table)
    return with_manifest, folders


def _runs_of(bucket: Bucket, table: str) -> Iterator[str]:
    for folder in bucket.folders(table_prefix(table)):
        run_id = folder.removeprefix("run_id=")
        if RUN_ID.fullmatch(run_id):
            yield run_id


def remove_files(bucket: Bucket, run_id: str, tables: set[str]) -> int:
    """Removes all that a run has written of some tables, uploads that are not complete included.

    :returns: objects and uploads removed.
    """
    removed = 0
    for table in sorted(tables):
        prefix = run_prefix(table, run_id)
        # Uploads first: one that is completed meanwhile becomes an object, which the listing finds.
        for upload in list(bucket.pending_uploads(prefix)):
            bucket.abort(upload)
            removed += 1
        removed += bucket.remove(each.key for each in bucket.objects(prefix))
        bucket.remove([folder_marker(prefix)])
    return removed
