"""What the job asks Postgres for: every value in a form that neither JDBC nor Spark changes."""

from __future__ import annotations

from rocketgames_glue.unload.plan import PlanColumn, PlanRange, PlanTable

_AS_SENT = {"timestamptz(3)": "timestamptz_send", "date": "date_send"}
"""
Types of which Postgres gives the bytes that binary COPY sends: as Java's timestamps and dates they would go through two calendars and a
time zone, and infinity would become the year 9999 (Spark) without a word.
"""
_AS_THEY_ARE = {"boolean": "boolean", "smallint": "integer", "integer": "integer", "bigint": "bigint"}
_TRANSACTION = "current_setting('transaction_isolation') || ' ' || pg_current_snapshot()::text"


def quote(name: str) -> str:
    """An identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def key_name(index: int) -> str:
    """The column of a row that holds a part of its primary key as text. No column of a contract begins with an underscore."""
    return f"_pk_{index}"


def range_query(table: PlanTable, part: PlanRange, visible: str) -> str:
    """The rows of a range: the lake's columns in contract order, then the primary key as text, for error texts only.

    The inner SELECT is the one that COPY sends; Postgres makes one scan of both.

    :param visible: what the service's own transaction sees (``pg_current_snapshot``).
    """
    rows = f"{table.select} WHERE {part.condition}"
    names = [quote(each.name) for each in table.columns]
    # Those that are not among the columns come after them: `_key_0` and so on.
    fields = names + [quote(f"_key_{i}") for i in range(len(table.key))]
    columns = [f"{_expression(each)} AS {quote(each.name)}" for each in table.columns]
    keys = [f"{fields[each.field]}::text AS {quote(key_name(i))}" for i, each in enumerate(table.key)]
    return f"SELECT {', '.join(columns + keys)} FROM ({rows}) AS _rows WHERE {_guard(visible)}"


def _expression(column: PlanColumn) -> str:
    name = quote(column.name)
    if column.is_pseudonym:
        return f"uuid_send({name}::uuid)"
    if column.pg_type in _AS_SENT:
        return f"{_AS_SENT[column.pg_type]}({name})"
    # Numerics as text: Java's BigDecimal knows no NaN.
    return f"{name}::{_AS_THEY_ARE.get(column.pg_type, 'text')}"


def _guard(visible: str) -> str:
    """An error wherever the query is not in a transaction that sees exactly what the service's sees.

    Evaluated once, before the first row. Without it the import would be no more than a warning to a connection that commits by itself
    (another release of Spark, an option misspelt), and a name could be that of another server's snapshot. The name in the end is that
    of no setting: SQLSTATE 42704, as of a snapshot that the server does not know.
    """
    wanted = f"repeatable read {visible}".replace("'", "''")
    return f"CASE {_TRANSACTION} WHEN '{wanted}' THEN true ELSE current_setting('rocketgames.the_snapshot_was_not_imported')::boolean END"
