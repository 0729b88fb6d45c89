"""A job without the program that started it: it ends, and all that it started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

JOBS = Path(__file__).resolve().parents[1]
JOB = """
import subprocess, sys, time
from rocketgames_glue.parent import end_with_parent
# As a Java that does not look at its standard input.
child = subprocess.Popen(["sleep", "600"], stdin=subprocess.PIPE)
end_with_parent()
print("begun", flush=True)
time.sleep(600)
"""


GUARDED = {**os.environ, "PYTHONPATH": str(JOBS), "ROCKETGAMES_STDIN_GUARD": "1"}


def test_the_end_of_its_standard_input_ends_a_job_and_all_that_it_started() -> None:
    begun = subprocess.Popen([sys.executable, "-c", JOB], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, env=GUARDED)
    assert begun.stdin is not None and begun.stdout is not None
    assert begun.stdout.readline() == b"begun\n"
    begun.stdin.close()
    # Once nobody holds its other end.
    assert begun.stdout.read() == b""
    assert begun.wait(20) != 0


def test_a_job_that_shares_the_group_of_its_starter_ends_alone() -> None:
    starter = "import subprocess, sys; job = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL); job.wait(); print('starter', job.returncode)"
    quick = JOB.replace("child = ", "").replace('subprocess.Popen(["sleep", "600"], stdin=subprocess.PIPE)', "")
    command = [sys.executable, "-c", starter, sys.executable, "-c", quick]
    ended = subprocess.run(command, stdout=subprocess.PIPE, start_new_session=True, timeout=20, env=GUARDED)
    assert ended.stdout.endswith(b"starter 1\n")
