"""What the entry scripts do alike: read the arguments, run the job, tell a failure in one line, say the exit code."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import TypeVar

from rocketgames_glue.job_error import JobError
from rocketgames_glue.job_log import bind, log
from rocketgames_glue.parent import end_with_parent

Arguments = TypeVar("Arguments")
INTERRUPTED = 130


def run_job(
    name: str,
    parse: Callable[[Sequence[str]], Arguments],
    run: Callable[[Arguments], None],
    glue_options: Mapping[str, str] | None = None,
) -> None:
    """Runs one job to its end; returns when it is done, and ends the process with the exit code of the failure when it is not.

    0 done, or nothing to do; 1 the work failed; 2 wrong arguments or settings; 130 told to stop. On AWS Glue (``glue_options`` are
    what it says about the run) a failure leaves as the exception that it is: its text is the run's ErrorMessage, of which an exit
    code would leave nothing.
    """
    if glue_options is not None:
        bind(job=glue_options.get("JOB_NAME", name), job_run_id=glue_options.get("JOB_RUN_ID"))
    end_with_parent()
    signal.signal(signal.SIGTERM, _stop)
    began = time.monotonic()
    try:
        arguments = parse(sys.argv[1:])
        log("job-started", name=name)
        run(arguments)
    except JobError as error:
        log("job-failed", **{**error.facts, "name": name, "code": error.code, "message": error.message, "seconds": _since(began)})
        if glue_options is not None:
            raise
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        log("job-stopped", name=name, seconds=_since(began))
        sys.exit(INTERRUPTED)
    log("job-done", name=name, seconds=_since(began))


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM ends the job as SIGINT does: what it has begun to write, it removes."""
    raise KeyboardInterrupt
