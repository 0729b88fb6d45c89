"""The files of a run as a warehouse's load finds them: each one there, of the size that the manifest says."""

from __future__ import annotations

from rocketgames_glue.io.s3 import Bucket, at_once
from rocketgames_glue.job_error import JobError
from rocketgames_glue.statements.warehouse_run import WarehouseFile, WarehouseRun

_MAGIC = b"PAR1"


def check_files(bucket: Bucket, run: WarehouseRun) -> None:
    """Looks at the end of every file: nothing is loaded of a run that is not whole.

    :raises JobError: ``run-file-missing``, ``run-file-differs``.
    """
    at_once(lambda file: _check(bucket, run, file), [file for table in run.tables for file in table.files])


def _check(bucket: Bucket, run: WarehouseRun, file: WarehouseFile) -> None:
    tail = bucket.tail(file.key, len(_MAGIC))
    if tail is None:
        raise _refused("missing", run, file, "is not there")
    if tail.size_bytes != file.bytes or tail.content != _MAGIC:
        raise _refused("differs", run, file, f"has {tail.size_bytes} bytes where the manifest says {file.bytes}, or is no Parquet")


def _refused(kind: str, run: WarehouseRun, file: WarehouseFile, why: str) -> JobError:
    return JobError(
        f"run-file-{kind}",
        f"{file.key} {why}: the run {run.run_id} is not whole, and nothing was loaded. "
        "Was it replaced while this job began? Then run the job again; otherwise make a new one: rocketgames glue curate",
        run_id=run.run_id,
        key=file.key,
    )

