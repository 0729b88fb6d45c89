"""Unload: every range of a plan becomes a Parquet file in an upload that nobody can see yet. The service commits, or ends, the uploads.

The job writes parts and one report. It begins, completes and ends no upload, and lists nothing.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import SparkSession

from rocketgames_glue.arguments import Place, UnloadArguments
from rocketgames_glue.io.aws import aws_client
from rocketgames_glue.io.jdbc import with_root_certificates
from rocketgames_glue.io.secrets import database_secret
from rocketgames_glue.io.unload_plan import put_report, stored_plan
from rocketgames_glue.io.unload_source import Login, range_rows, reading_session, source_problem
from rocketgames_glue.job_error import UsageError
from rocketgames_glue.job_log import log
from rocketgames_glue.jobs.unload_range import OUTCOME, KeySource, RangeTask
from rocketgames_glue.session import give_to_executors, session_settings, spark_session
from rocketgames_glue.unload.facts import table_report
from rocketgames_glue.unload.plan import PlanRange, PlanTable, UnloadPlan
from rocketgames_glue.unload.problems import UnloadProblem, problem_of

_MOST_AT_ONCE = 64
"""
Ranges for which Spark has a job: as many read at once, if there are the cores, each by a connection of its own. Those that wait are there
for executors that come later: on AWS Glue the first of them come after the driver.
"""
_STOP_SECONDS = 0.5
_LINE = threading.Lock()


@dataclass(frozen=True)
class Unload:
    """One run of a plan."""

    session: SparkSession
    plan: UnloadPlan
    place: Place
    login: Login
    key: KeySource
    progress: Callable[[dict[str, Any]], None]


def run(arguments: UnloadArguments) -> None:
    """Runs the plan that the arguments name.

    :raises JobError: the plan is none, or a range failed; the report then says of what.
    """
    client = aws_client("s3", arguments.place.region, arguments.place.endpoint_url)
    plan = stored_plan(client, arguments.plan)
    url = with_root_certificates(plan.source.url, arguments.ssl_root_cert)
    plan = replace(plan, source=replace(plan.source, url=url))
    login = _login(arguments, plan)
    key = KeySource(arguments.pseudonym_key_env, arguments.pseudonym_key_secret)
    # Of no use here: what is wrong with it is told before Spark begins, and not by each of its tasks.
    key.pseudonyms(arguments.place)
    spark = spark_session(session_settings("unload_snapshot", arguments.place))
    give_to_executors(spark, arguments.ssl_root_cert)
    report_unload(client, Unload(reading_session(spark), plan, arguments.place, login, key, _print))


def report_unload(client: Any, job: Unload) -> None:
    """Unloads, and writes the report, also that of a failure."""
    try:
        tables = unload(job)
    except UnloadProblem as problem:
        put_report(client, job.plan, {"problem": problem.to_json()})
        raise
    put_report(client, job.plan, {"tables": tables})


def _login(arguments: UnloadArguments, plan: UnloadPlan) -> Login:
    if arguments.secret_id is not None:
        client = aws_client("secretsmanager", arguments.place.region, arguments.place.endpoint_url)
        secret = database_secret(client, arguments.secret_id)
        if secret.username != plan.source.user:
            # Whoever makes way for a migration ends the connections of the run by name and user: those of another would stay, and their locks.
            raise UsageError(f"the secret {arguments.secret_id} is of the user {secret.username}, the service reads as {plan.source.user}: let it be one")
        return Login(secret.username, secret.password)
    password = os.environ.get(arguments.password_env or "")
    if password is None:
        raise UsageError(f"the environment variable {arguments.password_env} is not set; it may be empty")
    return Login(plan.source.user, password)


def unload(job: Unload) -> list[dict[str, Any]]:
    """:returns: the tables of the report. :raises UnloadProblem: of the first range that failed; the others are stopped."""
    group = f"unload-{job.plan.snapshot_id}"
    context = job.session.sparkContext
    found: dict[str, list[dict[str, Any]]] = {table.name: [] for table in job.plan.tables}

    def begin() -> None:
        # Of the Java thread that goes with this one.
        context.setJobGroup(group, f"unload of {job.plan.snapshot_id}", interruptOnCancel=True)

    with ThreadPoolExecutor(_MOST_AT_ONCE, initializer=begin) as pool:
        futures = {pool.submit(_file, job, table, part): table for table, part in _largest_first(job.plan)}
        try:
            for future in as_completed(futures):
                table, file = futures[future], future.result()
                found[table.name].append(file)
                facts = {"number": file["number"], "rows": file["rows"], "bytes": file["bytes"]}
                log("file-written", table=table.name, **facts)
                job.progress({"kind": "file", "table": table.name, **facts})
        except BaseException:
            _stop(pool, context, group, list(futures))
            raise
    return [table_report(name, sum(each.pop("rows_read") for each in files), files) for name, files in found.items()]


def _stop(pool: ThreadPoolExecutor, context: Any, group: str, futures: list[Future[Any]]) -> None:
    """Ends all Spark jobs of the group, those too that a thread begins in just this moment."""
    pool.shutdown(wait=False, cancel_futures=True)
    running = futures
    while running:
        context.cancelJobGroup(group)
        # Not `concurrent.futures.wait` for all: to it one that was cancelled before it began is never done.
        running = [each for each in running if not each.done()]
        wait(running[:1], timeout=_STOP_SECONDS)


def _largest_first(plan: UnloadPlan) -> Iterator[tuple[PlanTable, PlanRange]]:
    every = [(table, part) for table in plan.tables for part in table.ranges]
    return iter(sorted(every, key=lambda each: -each[1].estimated_rows))


def _file(job: Unload, table: PlanTable, part: PlanRange) -> dict[str, Any]:
    """One Spark job of one task. :returns: the file's entry of the report, and ``rows_read``."""
    alone = replace(table, ranges=(part,))
    metadata = job.plan.metadata(table, part.number)
    task = RangeTask(job.place, alone, part, job.plan.encoding, metadata, job.key)
    rows = range_rows(job.session, job.plan.source, job.login, table, part)
    job.session.sparkContext.setJobDescription(f"{table.name}, range {part.number}")
    try:
        [answer] = rows.mapInArrow(task, OUTCOME).collect()
    except Exception as error:
        raise source_problem(error, table, part) from None
    outcome = json.loads(answer["outcome"])
    if "problem" in outcome:
        raise problem_of(outcome["problem"])
    return outcome["file"]


def _print(line: dict[str, Any]) -> None:
    """One line of standard output for the service, which shows how far the run is."""
    with _LINE:
        sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
        sys.stdout.flush()
