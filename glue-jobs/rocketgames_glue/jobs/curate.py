"""The job that makes the curated tables out of the snapshots that are not in them yet.

The order of a run; until the pointer moves, nothing of it can be seen, and a crash at any instruction leaves the tables as they were:

1. read CURRENT.json, and bring the run that it names before the analysts if a job died before it had;
2. read the manifests of the snapshots that are not included yet, hold them, check contracts and files: whatever refuses a run refuses it here;
3. write every table under a new run id, and read back what S3 has;
4. write the manifest, then move CURRENT.json: **the commit**. Of two jobs at once one loses here, and leaves nothing;
5. partitions, then views;
6. remove runs that were replaced more than an hour ago, and what dead jobs have left.

Nothing new: step 1 and step 6, without starting Spark. A table that the former run lacks, as a later release brings one, is made of the
snapshots that are still there and of the other tables; these keep all that they know.

**Exit codes** 0 done or nothing to do, 1 refused or failed, 2 wrong arguments, 130 told to stop. **Errors** (``code`` in the log):

==========================  ===========================================================================================================
``manifest-unreadable``     a manifest of a snapshot is damaged, of another version, or names files that are not its own
``manifest-missing``        a manifest was listed and is gone, and the snapshot is not retired
``file-missing``            a file that a manifest names is not there, and the snapshot is not retired
``file-mismatch``           a file has another size or another footer than its manifest says
``count-mismatch``          a file holds other rows than its manifest says, or Spark wrote others than S3 has
``contract-newer``          a snapshot was taken by a later release: deploy the jobs of that release
``contract-conflict``       a column has another type or meaning than in the job's contract
``column-missing``          a snapshot lacks a column that the job needs
``table-missing``           a snapshot lacks a table that the job needs
``pseudonym-key-changed``   the pseudonym key was rotated: ``--full-rebuild --lose-history`` begins anew
``history-lost``            a full rebuild would lose snapshots that exist no more: ``--lose-history`` allows it
``tables-changed``          this release has a table that the former run lacks, and there is no snapshot to begin it with
``curated-unreadable``      CURRENT.json or the manifest that it names is damaged
``lost-race``               another run was committed meanwhile: nothing is left of this one
``schema-mismatch``         a table was built with other columns than it is described with: a mistake of the release
``too-late``                the run took more than 23 hours, and may be taken for dead
``holds-failed``            the API gave no clear answer to a hold
``secret-unavailable``      Secrets Manager did not give the key of the API
``storage-failed``          S3 refused a call, or could not be reached in all tries
``catalogue-failed``        Glue did so; the tables are committed, the next run goes on from there
``catalogue-drift``         somebody changed a column's type in Glue; the views stay where they are
``query-failed``            Athena did not move a view or count; the next run goes on from there
``smoke-mismatch``          a view shows other rows than the run's manifest says
==========================  ===========================================================================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from importlib.resources import files as package_files
from importlib.resources.abc import Traversable

import pyspark

from rocketgames_glue.arguments import CurateArguments
from rocketgames_glue.contract import Contract, load_contract
from rocketgames_glue.io.aws import aws_client
from rocketgames_glue.io.catalogue import Catalogue
from rocketgames_glue.io.curated_runs import CuratedManifest, CurrentRun, commit_run, current_run, new_run_id, run_started_at
from rocketgames_glue.io.curated_tables import check_run_files, file_sizing
from rocketgames_glue.io.holds import HoldsApi, holds_api
from rocketgames_glue.io.old_runs import DEAD_AFTER, discard_run, remove_old_runs
from rocketgames_glue.io.publication import Publication
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.io.secrets import secret_text
from rocketgames_glue.io.views import Athena
from rocketgames_glue.job_error import JobError
from rocketgames_glue.job_log import log
from rocketgames_glue.jobs.curated_build import CuratedBuild
from rocketgames_glue.jobs.snapshot_choice import Choice, Wishes, chosen_snapshots
from rocketgames_glue.session import session_settings, spark_session
from rocketgames_glue.tables import CURATED, CuratedTable

_COMMIT_MARGIN = timedelta(hours=1)


def run(arguments: CurateArguments) -> None:
    """Runs the job once.

    :raises JobError: see the table above; the analysts see the tables as they were before, or those of a run that is whole.
    """
    place = arguments.place
    bucket = Bucket(aws_client("s3", place.region, place.endpoint_url), place.bucket)
    catalogue = Catalogue(aws_client("glue", place.region, place.endpoint_url), f"{arguments.database}_raw", place.bucket)
    athena = Athena(aws_client("athena", place.region, place.endpoint_url), arguments.workgroup, str(arguments.results))
    publication = Publication(bucket, catalogue, athena, arguments.database, CURATED)
    api = _holds_api(arguments)
    current = current_run(bucket)
    if current is not None:
        publication.publish_current()
        current = current_run(bucket)
    if _curate(arguments, bucket, current, load_contract(), api):
        publication.publish_current()
    else:
        log("nothing-to-do", run_id=current.manifest.run_id if current else None)
    remove_old_runs(bucket, catalogue, datetime.now(timezone.utc), arguments.keep_runs)


def _holds_api(arguments: CurateArguments) -> HoldsApi | None:
    place, secret_id = arguments.place, arguments.api_key_secret
    if secret_id is None:
        return holds_api(arguments.api_url, arguments.api_key_env, None)
    client = aws_client("secretsmanager", place.region, place.endpoint_url)
    return holds_api(arguments.api_url, None, lambda: secret_text(client, secret_id))


def _curate(arguments: CurateArguments, bucket: Bucket, current: CurrentRun | None, contract: Contract, api: HoldsApi | None) -> bool:
    """:returns: False when there is nothing to do."""
    former = current.manifest if current else None
    lacking = [each for each in CURATED if former is not None and former.table(each.name) is None]
    wishes = Wishes(arguments.full_rebuild, arguments.lose_history, again=any(each.reads for each in lacking))
    with chosen_snapshots(bucket, contract, _raw_tables(), former, wishes, api) as choice:
        if not choice.included or not (choice.new or lacking or _other_small_cell(choice, arguments)):
            return False
        if choice.former is not None:
            _check_beginnings(choice, lacking)
            check_run_files(bucket, choice.former.tables)
        _write_and_commit(arguments, bucket, current, contract, choice)
        return True


def _raw_tables() -> list[str]:
    return sorted({name for table in CURATED for name in table.reads})


def _other_small_cell(choice: Choice, arguments: CurateArguments) -> bool:
    return choice.former is not None and choice.former.small_cell != arguments.small_cell


def _check_beginnings(choice: Choice, lacking: Sequence[CuratedTable]) -> None:
    begun = [each.name for each in lacking if each.reads]
    there = [each.manifest.taken_at for each in (*choice.new, *choice.again)]
    if begun and not there:
        raise JobError(
            "tables-changed",
            f"This release has {', '.join(begun)}, which the tables so far lack, and there is no snapshot to begin with. Nothing was written; "
            "run the job again when there is one",
            missing=begun,
        )
    if lacking:
        log("tables-begun", tables=[each.name for each in lacking], first_taken_at=min(there, default=None))


def _write_and_commit(
    arguments: CurateArguments, bucket: Bucket, current: CurrentRun | None, contract: Contract, choice: Choice
) -> None:
    created_at = datetime.now(timezone.utc)
    run_id = new_run_id(created_at)
    log("run-started", run_id=run_id, mode="incremental" if choice.former else "full", new=len(choice.new), included=len(choice.included))
    names = {each.name for each in CURATED}
    spark = spark_session(session_settings("curate_accounts", arguments.place))
    for key, value in file_sizing(choice.bytes, spark.sparkContext.defaultParallelism).items():
        spark.conf.set(key, value)
    build = CuratedBuild(spark, arguments.place, bucket, choice, run_id, arguments.small_cell)
    try:
        for table in CURATED:
            build.write(table)
        if datetime.now(timezone.utc) > run_started_at(run_id) + DEAD_AFTER - _COMMIT_MARGIN:
            raise JobError("too-late", f"Run {run_id} took too long to be committed; nothing is left of it. Give the job more workers")
    except BaseException:
        _quietly(lambda: spark.sparkContext.cancelAllJobs())
        _quietly(lambda: discard_run(bucket, run_id, names))
        raise
    manifest = CuratedManifest(
        run_id=run_id,
        created_at=created_at,
        previous_run_id=current.manifest.run_id if current else None,
        mode="incremental" if choice.former else "full",
        software={"package_sha256": package_sha256(), "spark": pyspark.__version__},
        snapshots=choice.included,
        pseudonym_key_version=choice.pseudonym_key_version,
        contract_set_fingerprint=contract.set_fingerprint,
        small_cell=arguments.small_cell,
        tables=build.written,
    )
    try:
        commit_run(bucket, manifest, current)
    except JobError as error:
        # Any other failure may be one of the answer alone: the files of a run that may be committed stay, and the next job knows.
        if error.code == "lost-race":
            _quietly(lambda: discard_run(bucket, run_id, names))
        raise
    log("committed", run_id=run_id, rows=sum(each.rows for each in manifest.tables), snapshots=len(manifest.snapshots))


def _quietly(work: Callable[[], object]) -> None:
    """What cleans up must not hide why: a failure of it is told in the log, and the next run cleans up."""
    try:
        work()
    except Exception as error:  # noqa: BLE001
        log("not-cleaned-up", reason=str(error))


def package_sha256() -> str:
    """Which program made the tables: SHA-256 over the sources of this package."""
    digest = hashlib.sha256()
    for name, content in sorted(_sources(package_files("rocketgames_glue"), "")):
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def _sources(folder: Traversable, path: str) -> Iterable[tuple[str, bytes]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _sources(each, f"{path}{each.name}/")
        elif each.name.endswith((".py", ".json")):
            yield f"{path}{each.name}", each.read_bytes()
