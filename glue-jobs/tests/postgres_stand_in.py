"""Redshift's Data API and Snowflake's connection on a real Postgres: statements that all three understand run as they are.

What Postgres lacks (DISTSTYLE, COPY of Parquet, a few names) is translated; everything that decides what a load leaves behind is not:
transactions, EXCEPT, DELETE, INSERT, MERGE, the guards, the counts. What only the real ones do is in docs/warehouse.md.
"""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow.parquet as pq

from rocketgames_glue.io.jdbc import JdbcConnection
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.job_error import JobError


def _insert(connection: JdbcConnection, table: str, bucket: Bucket, key: str, size: int | None) -> None:
    body = bucket.read(key)
    assert body is not None and size in (None, len(body.content)), key
    held = pq.read_table(io.BytesIO(body.content))
    rows = [", ".join("NULL" if each is None else f"$x${each}$x$" for each in row.values()) for row in held.to_pylist()]
    if rows:
        connection.execute(f"INSERT INTO {table} ({', '.join(held.column_names)}) VALUES ({'), ('.join(rows)})")


@dataclass
class RedshiftOnPostgres:
    """A client of ``redshift-data``: one connection and one transaction a batch."""

    connect: Callable[[], JdbcConnection]
    bucket: Bucket
    said: list[str] = field(default_factory=list)
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, list[tuple[str | None, ...]]] = field(default_factory=dict)

    def batch_execute_statement(self, *, Sqls: Sequence[str], **where: Any) -> dict[str, str]:
        parts: list[dict[str, Any]] = []
        state: dict[str, Any] = {"Status": "FINISHED", "SubStatements": parts}
        try:
            with self._connected(where) as connection, connection.transaction():
                for each in Sqls:
                    parts.append({"Status": "FAILED"})
                    self._run(connection, each)
                    parts[-1]["Status"] = "FINISHED"
        except JobError as error:
            parts[-1]["Error"] = error.message
            state |= {"Status": "FAILED", "Error": error.message}
        return self._answer(state)

    def execute_statement(self, *, Sql: str, **where: Any) -> dict[str, str]:
        answer = self._answer({"Status": "FINISHED"})
        self.said.append(Sql)
        with self._connected(where) as connection:
            self.results[answer["Id"]] = connection.rows(Sql.replace("svv_columns", "information_schema.columns"))
        return answer

    def describe_statement(self, *, Id: str) -> dict[str, Any]:
        return self.ended[Id]

    def get_statement_result(self, *, Id: str) -> dict[str, Any]:
        return {"Records": [[{"isNull": True} if each is None else {"stringValue": each} for each in row] for row in self.results[Id]]}

    def _connected(self, where: Mapping[str, Any]) -> JdbcConnection:
        assert where["Database"] == "analytics" and where["WorkgroupName"] == "accounts"
        connection = self.connect()
        connection.execute("SET TIME ZONE 'UTC'")
        return connection

    def _answer(self, state: dict[str, Any]) -> dict[str, str]:
        made = str(uuid.uuid4())
        self.ended[made] = state
        return {"Id": made}

    def _run(self, connection: JdbcConnection, statement: str) -> None:
        self.said.append(statement)
        copy = re.fullmatch(r"COPY (\S+) FROM 's3://[^/]+/([^']+)' IAM_ROLE '[^']+' FORMAT AS PARQUET MANIFEST", statement)
        if copy is None:
            text = re.sub(r"\) (BACKUP NO )?DISTSTYLE .*", ")", statement).replace("GETDATE()", "clock_timestamp()")
            connection.execute(text)
            return
        body = self.bucket.read(copy[2])
        assert body is not None
        for entry in json.loads(body.content)["entries"]:
            assert entry["mandatory"] is True
            _insert(connection, copy[1], self.bucket, entry["url"].split("/", 3)[3], entry["meta"]["content_length"])


@dataclass
class SnowflakeOnPostgres:
    """A DB-API connection; ``said`` is everything that it was told."""

    connection: JdbcConnection
    bucket: Bucket
    said: list[str] = field(default_factory=list)

    def cursor(self) -> Cursor:
        return Cursor(self)


@dataclass
class Cursor:
    """Answers as Snowflake's: the rows of a query, the counts of DML."""

    of: SnowflakeOnPostgres
    description: Any = None
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def execute(self, statement: str) -> None:
        self.of.said.append(statement)
        connection = self.of.connection
        self.description, self.rows = None, []
        copy = re.match(r"COPY INTO (?:\w+\.)?(\w+) ", statement)
        if copy is not None:
            for key in re.findall(r"'([^']+\.parquet)'", statement):
                _insert(connection, copy[1], self.of.bucket, f"curated/v1/{key}", None)
        elif statement.startswith("SELECT"):
            self._answer(connection.rows(_as_postgres(statement)))
        elif statement.startswith("DELETE"):
            self._answer(connection.rows(f"WITH gone AS ({_as_postgres(statement)} RETURNING 1) SELECT count(*) FROM gone"))
        elif statement.startswith("MERGE"):
            counts = "count(*) FILTER (WHERE action = 'INSERT'), count(*) FILTER (WHERE action = 'UPDATE')"
            self._answer(connection.rows(f"WITH done AS ({_as_postgres(statement)} RETURNING merge_action() AS action) SELECT {counts} FROM done"))
        else:
            connection.execute(_as_postgres(statement))

    def _answer(self, rows: list[tuple[Any, ...]]) -> None:
        self.description, self.rows = [("answer",)], rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.rows

    def close(self) -> None:
        self.description = None


_WORDS = {
    r"ALTER SESSION SET TIMEZONE = ('\w+')": r"SET TIME ZONE \1",
    r"CREATE OR REPLACE TEMPORARY TABLE \w+\.": "CREATE TEMPORARY TABLE ",
    r"\b\w+\.(staged_)": r"\1",
    r"TIMESTAMP_NTZ\(6\)": "TIMESTAMP(6)",
    r"\bNUMBER\(": "NUMERIC(",
    r"NUMERIC\(19,0\) AUTOINCREMENT ORDER": "BIGINT GENERATED ALWAYS AS IDENTITY",
    r"\) COMMENT = '.*'$": ")",
    r"SYSDATE\(\)": "clock_timestamp()",
    r"TO_VARCHAR\(": "TO_CHAR(",
    r"\.FF6'": ".US'",
}


def _as_postgres(statement: str) -> str:
    for word, instead in _WORDS.items():
        statement = re.sub(word, instead, statement)
    return statement
