"""Which snapshots a run takes in, and what refuses it before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rocketgames_glue.contract import Contract
from rocketgames_glue.io.curated_runs import CuratedManifest, IncludedSnapshot
from rocketgames_glue.io.holds import HoldsApi, held
from rocketgames_glue.io.s3 import Bucket, at_once
from rocketgames_glue.io.snapshot_files import check_files
from rocketgames_glue.io.snapshot_sources import RawSource, sources
from rocketgames_glue.io.snapshots import RawManifest, is_retired, read_manifest, snapshot_ids
from rocketgames_glue.job_error import JobError
from rocketgames_glue.job_log import log


@dataclass(frozen=True)
class ChosenSnapshot:
    """A snapshot that is read in this run, and the tables that are."""

    manifest: RawManifest
    sources: dict[str, RawSource]

    def included(self) -> IncludedSnapshot:
        """As the manifest of the run names it."""
        raw = self.manifest
        return IncludedSnapshot(raw.snapshot_id, raw.sequence, raw.taken_at, raw.sha256)


@dataclass(frozen=True)
class Choice:
    """``former`` is the run that this one adds to, None in a full rebuild. ``new`` are snapshots that it lacks, ``again`` those of its own that
    are still there, where they are read once more; both ascending by the instant that they show."""

    former: CuratedManifest | None
    new: tuple[ChosenSnapshot, ...]
    again: tuple[ChosenSnapshot, ...]
    pseudonym_key_version: int

    @property
    def bytes(self) -> int:
        """Of all files that the run may read."""
        former = sum(each.bytes for each in self.former.tables) if self.former else 0
        read = [source.table for each in (*self.new, *self.again) for source in each.sources.values()]
        return former + sum(file.size_bytes for table in read for file in table.files)

    @property
    def included(self) -> tuple[IncludedSnapshot, ...]:
        """All that the tables will be made of, ascending."""
        former = self.former.snapshots if self.former else ()
        return tuple(sorted((*former, *(each.included() for each in self.new)), key=lambda each: (each.taken_at, each.sequence)))


@dataclass(frozen=True)
class Wishes:
    """What the arguments say about it. ``again``: snapshots of the former run are read once more, for a table that it lacks."""

    full_rebuild: bool
    lose_history: bool
    again: bool = False


@contextmanager
def chosen_snapshots(
    bucket: Bucket,
    contract: Contract,
    tables: Sequence[str],
    current: CuratedManifest | None,
    wishes: Wishes,
    api: HoldsApi | None,
) -> Iterator[Choice]:
    """Reads the manifests, takes the holds and checks contracts and files; the holds last as long as the block.

    :param tables: the lake tables that are read.
    :raises JobError: why nothing may be written; each says what to do.
    """
    former = None if wishes.full_rebuild else current
    done = {each.snapshot_id for each in former.snapshots} if former else set()
    fresh = [each for each in snapshot_ids(bucket) if wishes.again or each not in done]
    manifests = _one_key(_manifests(bucket, fresh), former)
    found = [ChosenSnapshot(each, sources(each, contract, tables)) for each in manifests]
    with held(api, [each.manifest.snapshot_id for each in found]) as readable:
        read = [each for each in found if _may_read(bucket, each, readable)]
        read.sort(key=lambda each: (each.manifest.taken_at, each.manifest.sequence))
        version = former.pseudonym_key_version if former else max((each.manifest.pseudonym_key_version for each in read), default=0)
        new, again = ([each for each in read if (each.manifest.snapshot_id in done) == included] for included in (False, True))
        choice = Choice(former, tuple(new), tuple(again), version)
        if wishes.full_rebuild and current is not None:
            _keep_history(current, choice, wishes)
        yield choice


def _manifests(bucket: Bucket, ids: Sequence[str]) -> list[RawManifest]:
    """Of a list that is older than the answers: a snapshot that was retired in between is left out."""
    read = at_once(lambda each: read_manifest(bucket, each), ids)
    for snapshot_id, manifest in zip(ids, read, strict=True):
        if manifest is not None:
            continue
        if not is_retired(bucket, snapshot_id):
            raise JobError(
                "manifest-missing",
                f"The manifest of snapshot {snapshot_id} was listed and is gone, and retention has not removed the snapshot. Nothing was "
                'written; run the job again, and if it says the same see what "rocketgames verify" says',
                snapshot_id=snapshot_id,
            )
        log("snapshot-left-out", snapshot_id=snapshot_id, reason="retired meanwhile")
    return [each for each in read if each is not None]


def _one_key(manifests: list[RawManifest], former: CuratedManifest | None) -> list[RawManifest]:
    """Pseudonyms under another key are other names of the same persons: they cannot be joined, and are never mixed."""
    newest = max((each.pseudonym_key_version for each in manifests), default=0)
    wanted = former.pseudonym_key_version if former else newest
    if newest > wanted and former is not None:
        ids = [each.snapshot_id for each in manifests if each.pseudonym_key_version > wanted]
        raise JobError(
            "pseudonym-key-changed",
            f"{len(ids)} snapshots, first {ids[0]}, have pseudonyms under key version {newest}; the tables are made under {wanted}, and persons "
            "of the two cannot be joined. Nothing was written; --full-rebuild --lose-history begins anew with the snapshots of the newest key",
            expected=wanted,
            found=newest,
            snapshots=ids[:20],
        )
    for each in manifests:
        if each.pseudonym_key_version != wanted:
            log("snapshot-left-out", snapshot_id=each.snapshot_id, reason=f"pseudonym key version {each.pseudonym_key_version}, not {wanted}")
    return [each for each in manifests if each.pseudonym_key_version == wanted]


def _may_read(bucket: Bucket, chosen: ChosenSnapshot, readable: frozenset[str]) -> bool:
    snapshot_id = chosen.manifest.snapshot_id
    if snapshot_id not in readable:
        log("snapshot-left-out", snapshot_id=snapshot_id, reason="it is being retired: the hold was refused")
        return False
    if not check_files(bucket, chosen.manifest, chosen.sources.values()):
        log("snapshot-left-out", snapshot_id=snapshot_id, reason="retired meanwhile")
        return False
    return True


def _keep_history(current: CuratedManifest, choice: Choice, wishes: Wishes) -> None:
    """What the tables know of snapshots that are not there any more cannot be made again."""
    kept = {each.manifest.snapshot_id for each in choice.new}
    lost = [each for each in current.snapshots if each.snapshot_id not in kept]
    if not lost:
        return
    first, last = lost[0].taken_at, lost[-1].taken_at
    how_much = f"{len(lost)} of {len(current.snapshots)} snapshots, from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    if not wishes.lose_history:
        raise JobError(
            "history-lost",
            f"--full-rebuild would lose what the tables know of {how_much}: they are retired, or have pseudonyms under another key. Nothing "
            "was written; leave --full-rebuild out, or give --lose-history as well",
            lost=len(lost),
            included=len(current.snapshots),
        )
    log("history-lost", lost=len(lost), of=len(current.snapshots), first_taken_at=first, last_taken_at=last)
