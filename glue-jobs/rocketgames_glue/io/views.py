"""The views that analysts read: made by Athena, one a curated table, each showing exactly one run.

The predicate is a literal, so an engine looks at one partition and at nothing else; a view moves from one run to the next in one
statement, and nothing between two runs can be seen through it.
"""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from rocketgames_glue.io.aws import error_code
from rocketgames_glue.io.curated_runs import CuratedManifest, RunTable, instant
from rocketgames_glue.job_error import JobError
from rocketgames_glue.job_log import log

RUNS_VIEW = "curated_runs"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_FIRST_POLL_SECONDS = 0.05
_LONGEST_POLL_SECONDS = 2.0
_STATEMENT_SECONDS = 600
"""A statement that takes longer is stopped: a view is a matter of a second, a count of seconds."""
_TRIES = 4
_FIRST_RETRY_SECONDS = 0.5
_LABEL = "-- query: lake-upkeep\n"
"""How the service's list of queries tells the project's own statements from people's."""
_STORED = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=]+) \*/")
_WORD = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|[A-Za-z_][A-Za-z0-9_]*|\d+(?:\.\d+)?|[<>!]=|<>|[=*.]")

A = TypeVar("A")


@dataclass(frozen=True)
class View:
    """A view and its SELECT."""

    name: str
    body: str


@dataclass(frozen=True)
class Athena:
    """A work group that runs statements one after another. ``results``: ``s3://…``, ignored where the work group says its own."""

    client: Any
    workgroup: str
    results: str

    def run(self, sql: str, what: str, seconds: float = _STATEMENT_SECONDS) -> list[list[str | None]]:
        """Runs a statement to its end; the first 1,000 rows of its result as texts, without the header.

        :raises JobError: ``query-failed`` with Athena's own reason.
        """
        for attempt in range(_TRIES):
            started = self._told(what, lambda token=str(uuid.uuid4()): self._start(sql, token))
            status = self._ended(started, what, seconds)
            if status["State"] == "SUCCEEDED":
                return self._rows(started, what)
            error = status.get("AthenaError", {})
            again = error.get("Retryable") or error.get("ErrorCategory") == 1  # 1: Athena's own fault
            if not again or attempt == _TRIES - 1:
                break
            time.sleep(_FIRST_RETRY_SECONDS * 2**attempt)
        raise _failed(what, f"{status['State'].lower()}: {status.get('StateChangeReason', 'Athena gave no reason')}", started)

    def _start(self, sql: str, token: str) -> str:
        return self.client.start_query_execution(
            QueryString=_LABEL + sql,
            WorkGroup=self.workgroup,
            ResultConfiguration={"OutputLocation": self.results},
            ClientRequestToken=token,
        )["QueryExecutionId"]

    def _ended(self, query: str, what: str, seconds: float) -> Mapping[str, Any]:
        until = time.monotonic() + seconds
        wait = _FIRST_POLL_SECONDS
        while True:
            answer = self._told(what, lambda: self.client.get_query_execution(QueryExecutionId=query))
            status = answer["QueryExecution"]["Status"]
            if status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
                return status
            if time.monotonic() > until:
                self._told(what, lambda: self.client.stop_query_execution(QueryExecutionId=query))
                raise _failed(what, f"it took longer than {seconds:.0f} s and was stopped", query)
            time.sleep(wait)
            wait = min(_LONGEST_POLL_SECONDS, wait * 1.5)

    def _rows(self, query: str, what: str) -> list[list[str | None]]:
        answer = self._told(what, lambda: self.client.get_query_results(QueryExecutionId=query, MaxResults=1_000))
        rows = answer.get("ResultSet", {}).get("Rows", ())
        return [[cell.get("VarCharValue") for cell in row.get("Data", ())] for row in rows[1:]]

    def _told(self, what: str, call: Callable[[], A]) -> A:
        try:
            return call()
        except (ClientError, BotoCoreError) as error:
            text = error.response["Error"].get("Message", "") if isinstance(error, ClientError) else str(error)
            raise _failed(what, f"{error_code(error) or type(error).__name__} {text}".strip(), None) from error


def _failed(what: str, why: str, query: str | None) -> JobError:
    return JobError(
        "query-failed",
        f"Athena, {what}: {why}. The tables are committed; put it right and run the job again, which goes on from here",
        query=query,
        reason=why,
    )


def views_of(manifest: CuratedManifest, raw_database: str) -> list[View]:
    """All views of a run: one a table with the columns of its files, and ``curated_runs``, which says what run that is."""
    views = [View(_identifier(table.name), table_select(table, manifest.run_id, raw_database)) for table in manifest.tables]
    return [*views, View(RUNS_VIEW, _runs_select(manifest))]


def table_select(table: RunTable, run_id: str, raw_database: str) -> str:
    """The rows of one table in one run, out of its partition alone."""
    columns = ", ".join(_identifier(each.name) for each in table.columns)
    return f"SELECT {columns}\nFROM {_identifier(raw_database)}.{_identifier(table.name)}\nWHERE run_id = {_text(run_id)}"


def _runs_select(manifest: CuratedManifest) -> str:
    taken = [each.taken_at for each in manifest.snapshots]
    columns = {
        "run_id": ("varchar", _text(manifest.run_id)),
        "created_at": ("timestamp(3)", _text(_timestamp(instant(manifest.created_at)))),
        "snapshots": ("bigint", str(len(taken))),
        "first_taken_at": ("timestamp(3)", _text(_timestamp(instant(taken[0])))),
        "last_taken_at": ("timestamp(3)", _text(_timestamp(instant(taken[-1])))),
        "total_rows": ("bigint", str(sum(each.rows for each in manifest.tables))),
        "small_cell": ("bigint", str(manifest.small_cell)),
    }
    casts = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, (kind, _) in columns.items())
    values = ", ".join(value for _, value in columns.values())
    return f"SELECT {casts}\nFROM (VALUES ({values})) AS current_run ({', '.join(columns)})"


def _timestamp(iso: str) -> str:
    return iso[:23].rstrip("Z").replace("T", " ")


def _identifier(name: str) -> str:
    """Names stand unquoted: lower case and no reserved word, as the tables' definition has them."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a table or column")
    return name


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def stored_views(glue: Any, database: str) -> dict[str, str]:
    """The SELECT of every view of a Glue database, by name; empty text where it is no view that Athena made."""

    def pages() -> Iterator[Mapping[str, Any]]:
        yield from glue.get_paginator("get_tables").paginate(DatabaseName=database)

    try:
        tables = [table for page in pages() for table in page.get("TableList", ())]
    except (ClientError, BotoCoreError) as error:
        why = error_code(error) or type(error).__name__
        if why == "EntityNotFoundException":
            return {}
        message = f"Glue GetTables of {database} failed with {why} after all tries; run the job again, which goes on from here"
        raise JobError("catalogue-failed", message, operation="GetTables", reason=why) from error
    return {each["Name"]: _select_of(each) for each in tables if each.get("TableType") == "VIRTUAL_VIEW"}


def _select_of(table: Mapping[str, Any]) -> str:
    """Athena keeps a view as a comment around the base64 of a JSON object, whose ``originalSql`` is the SELECT."""
    found = _STORED.fullmatch(table.get("ViewOriginalText", "").strip())
    try:
        return str(json.loads(base64.b64decode(found[1]))["originalSql"]) if found else ""
    except (ValueError, KeyError):
        return ""


def same_select(one: str, other: str) -> bool:
    """Do two SELECTs of ours say the same? Athena stores a view as its parser prints it: words are compared, not characters, without
    what the printer adds or leaves out (``AS``, ``ROW``, parentheses)."""
    return _words(one) == _words(other)


def _words(sql: str) -> list[str]:
    plain = [each if each.startswith("'") else each.strip('"').lower() for each in _WORD.findall(sql)]
    catalogued = [each == "awsdatacatalog" for each in plain] + [False]
    return [
        each for i, each in enumerate(plain) if each not in ("as", "row") and not catalogued[i] and not (i > 0 and catalogued[i - 1] and each == ".")
    ]


def move_views(athena: Athena, database: str, views: Sequence[View], stored: Mapping[str, str]) -> int:
    """Replaces the views that say something else; each moves in one statement.

    :returns: how many were moved.
    :raises JobError: ``query-failed``, with the views before it moved; the next run moves the others.
    """
    moved = 0
    for view in views:
        if same_select(stored.get(view.name, ""), view.body):
            continue
        athena.run(f"CREATE OR REPLACE VIEW {_identifier(database)}.{view.name} AS\n{view.body}", f"view {view.name}")
        moved += 1
    log("views-moved", database=database, moved=moved, kept=len(views) - moved)
    return moved


def check_counts(athena: Athena, sources: Mapping[str, str], expected: Mapping[str, int]) -> None:
    """Counts all sources in one query and compares. Counts again where they differ: an engine may see a new partition a moment late.

    :param sources: what follows FROM, by table.
    :raises JobError: ``smoke-mismatch``, ``query-failed``.
    """
    counts = "\nUNION ALL\n".join(f"SELECT {_text(name)} AS name, count(*) AS n FROM {source}" for name, source in sources.items())
    for attempt in range(_TRIES):
        counted = {name: int(count or -1) for name, count in athena.run(counts, "count of the curated tables")}
        wrong = [f"{name} shows {counted.get(name)} in place of {rows}" for name, rows in expected.items() if counted.get(name) != rows]
        if not wrong:
            return
        if attempt < _TRIES - 1:
            time.sleep(_FIRST_RETRY_SECONDS * 2**attempt)
    raise JobError(
        "smoke-mismatch",
        f"Rows differ from the run's manifest: {'; '.join(wrong)}. Compare the partitions in Glue with the manifest; run the job again",
        tables=wrong,
    )
