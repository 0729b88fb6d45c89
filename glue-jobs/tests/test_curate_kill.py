"""A curate job that is killed at any moment: readers see the tables of before or those of after, each whole, and the next run succeeds."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import SMALL_JVM, Aws, counted
from curate_process import POINTS
from curated_zone import LIGHT, LIGHT_READS, CuratedZone, new_zone
from pyspark.sql import SparkSession
from raw_snapshots import RawLake

from rocketgames_glue.jobs import curate

PROGRAM = Path(__file__).parent / "curate_process.py"
COMMITTED = ("before-partitions", "before-views", "amid-views")
KILLED = counted(["amid-views"], [each for each in POINTS if each != "random"] + ["random"] * 4)
SECONDS = 120


def _arguments(zone: CuratedZone) -> list[str]:
    given = zone.arguments
    place = given.place
    options = {"bucket": place.bucket, "region": place.region, "endpoint-url": place.endpoint_url, "database": given.database}
    options |= {"workgroup": given.workgroup, "results": str(given.results), "small-cell": str(given.small_cell)}
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


def _kill_at(zone: CuratedZone, point: str, begun: threading.Event) -> None:
    """Starts the job and kills it and its JVM at once, by SIGKILL to their group; ``begun`` as soon as it has anything to write."""
    path = os.pathsep.join([str(PROGRAM.parent), str(PROGRAM.parent.parent), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, "ROCKETGAMES_SPARK_MEMORY": "512m", "ROCKETGAMES_SPARK_JAVA_OPTIONS": SMALL_JVM}
    command = [sys.executable, str(PROGRAM), json.dumps(_arguments(zone)), point]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True)
    timer = threading.Timer(SECONDS, lambda: os.killpg(process.pid, signal.SIGKILL))
    timer.start()
    try:
        assert process.stdout is not None
        for wanted in ["at start", *([] if point == "random" else [f"at {point}"])]:
            assert any(line.strip() == wanted for line in process.stdout), f"the job never came to {point}"
            begun.set()
        if point == "random":
            time.sleep(random.uniform(0, 12))
    finally:
        timer.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _reader(zone: CuratedZone, begun: threading.Event) -> Iterator[list[dict[str, int]]]:
    """An analyst who asks once, and again and again from ``begun`` on: Spark's start is long and changes nothing. The answers in their order."""
    answers: list[dict[str, int]] = []
    failures: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                answers.append(zone.counts())
            except BaseException as error:  # told below, in the test's own thread
                failures.append(error)
                return
            begun.wait()
            stop.wait(0.5)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield answers
    finally:
        stop.set()
        begun.set()
        thread.join()
    assert not failures, failures


def test_whenever_the_job_is_killed_readers_see_the_old_tables_or_the_new_and_the_next_run_succeeds(
    aws: Aws, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curate, "CURATED", LIGHT)
    zone, lake = new_zone(aws), RawLake(aws, LIGHT_READS)
    lake.take(0)
    zone.run()
    for number, point in enumerate(KILLED, 1):
        old, before = zone.expected(), zone.manifest().run_id
        lake.take(number)
        begun = threading.Event()
        with _reader(zone, begun) as answers:
            _kill_at(zone, point, begun)
            committed = zone.manifest().run_id != before
            assert committed == (point in COMMITTED) or point == "random"
            answers.append(zone.counts())
            zone.run()
        new = zone.expected()
        assert old != new and len(zone.manifest().snapshots) == number + 1
        assert zone.counts() == new
        for answer in answers:
            assert all(rows in (old[table], new[table]) for table, rows in answer.items()), (point, answer)
        for table, rows in old.items():
            seen = [answer[table] for answer in answers]
            assert seen == sorted(seen) and seen[0] == rows, "from old to new, and never back"
