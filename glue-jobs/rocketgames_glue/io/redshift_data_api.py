"""The Redshift Data API: statements by AWS's own API, each batch a transaction. No network path to the cluster, no driver."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rocketgames_glue.io.aws import error_code
from rocketgames_glue.job_error import JobError
from rocketgames_glue.statements import redshift as sql

STATEMENTS_MAX = 40
"""A batch of the Data API."""
STATEMENT_BYTES_MAX = 100_000
"""The Data API takes 100 KB of SQL."""
POLL_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Between looks at a batch; the last one repeats."""
TIMEOUT_SECONDS = 4 * 3_600


@dataclass(frozen=True)
class RedshiftPlace:
    """A serverless ``workgroup`` or a ``cluster``; without a ``secret_arn`` the job's IAM identity is the database user."""

    workgroup: str | None
    cluster: str | None
    database: str
    secret_arn: str | None
    iam_role: str

    def parameters(self) -> dict[str, str]:
        given = {
            "WorkgroupName": self.workgroup,
            "ClusterIdentifier": self.cluster,
            "Database": self.database,
            "SecretArn": self.secret_arn,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass
class DataApi:
    """The statements of one load, one after another. ``wait`` sleeps for seconds, ``clock`` tells them."""

    client: Any
    place: RedshiftPlace
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def batch(self, name: str, statements: Sequence[str]) -> None:
        """Runs statements as one transaction, and waits for its end.

        :raises JobError: ``warehouse-refused`` names the statement's kind and Redshift's words; ``batch-too-large``;
            ``warehouse-timeout``: the batch was cancelled, which takes it back.
        """
        _fits(statements)
        answer = self._call("batch_execute_statement", Sqls=list(statements), StatementName=name, **self.place.parameters())
        self._ended(answer, statements)

    def query(self, name: str, statement: str) -> list[tuple[str | None, ...]]:
        """The rows of a small answer, as text."""
        answer = self._call("execute_statement", Sql=statement, StatementName=name, **self.place.parameters())
        self._ended(answer, [statement])
        rows: list[tuple[str | None, ...]] = []
        token: dict[str, str] = {}
        while True:
            page = self._call("get_statement_result", Id=answer["Id"], **token)
            rows.extend(tuple(map(_text, row)) for row in page["Records"])
            if not page.get("NextToken"):
                return rows
            token = {"NextToken": page["NextToken"]}

    def _ended(self, answer: Mapping[str, Any], statements: Sequence[str]) -> None:
        deadline = self.clock() + TIMEOUT_SECONDS
        look = 0
        while True:
            state = self._call("describe_statement", Id=answer["Id"])
            if state["Status"] == "FINISHED":
                return
            if state["Status"] in ("FAILED", "ABORTED"):
                raise _refused(state, statements)
            if self.clock() > deadline:
                self._call("cancel_statement", Id=answer["Id"])
                raise JobError(
                    "warehouse-timeout", f"Redshift was not done after {TIMEOUT_SECONDS} s: the statement {answer['Id']} was cancelled"
                )
            self.wait(POLL_SECONDS[min(look, len(POLL_SECONDS) - 1)])
            look += 1

    def _call(self, operation: str, **parameters: Any) -> Any:
        try:
            return getattr(self.client, operation)(**parameters)
        except (ClientError, BotoCoreError) as error:
            why = error_code(error) or type(error).__name__
            raise JobError(
                "warehouse-unreachable", f"The Redshift Data API answered {operation} with {why}: see docs/warehouse.md for what it needs",
                reason=why,
            ) from None


def _text(field: Mapping[str, Any]) -> str | None:
    if field.get("isNull"):
        return None
    return str(next(iter(field.values())))


def _fits(statements: Sequence[str]) -> None:
    size = sum(len(each.encode()) for each in statements)
    if len(statements) > STATEMENTS_MAX or size > STATEMENT_BYTES_MAX:
        raise JobError(
            "batch-too-large",
            f"A transaction of {len(statements)} statements and {size} bytes: the Data API takes {STATEMENTS_MAX} and {STATEMENT_BYTES_MAX}",
        )


def _refused(state: Mapping[str, Any], statements: Sequence[str]) -> JobError:
    """Which statement it was, by its first words, and Redshift's message, which names columns and types; of a check what it means."""
    parts = state.get("SubStatements") or []
    place = next((n for n, each in enumerate(parts) if each["Status"] in ("FAILED", "ABORTED") and each.get("Error")), 0)
    why = (parts[place].get("Error") if parts else None) or state.get("Error") or "no reason given"
    where = f"statement {place + 1} of {len(statements)}"
    facts = {"statement": place + 1, "status": state["Status"]}
    check = sql.guarded(statements[place])
    if check is not None:
        code = "load-running" if check == sql.ANOTHER_LOAD else "rows-differ"
        return JobError(code, f"Redshift took the transaction back at its check, {where}: {check}. Nothing was changed", **facts)
    words = " ".join(statements[place].split()[:4])
    return JobError("warehouse-refused", f"Redshift took the transaction back at {where} ({words} …): {why}. Nothing was changed", **facts)
