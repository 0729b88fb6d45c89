"""The rows of a range, as Spark's executors read them from Postgres: at the instant of the snapshot that the service exported."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession

from rocketgames_glue.io.jdbc import DRIVER, warehouse_error
from rocketgames_glue.unload.plan import PlanRange, PlanTable, Source
from rocketgames_glue.unload.problems import UnloadProblem, marked_problem
from rocketgames_glue.unload.selection import range_query

BATCH_ROWS = 2_048
"""Rows that a fetch brings, and those that travel from Java to Python at once: what has to fit into memory several times over."""
_SCHEMAS = threading.Semaphore(4)
"""Spark asks for the columns of every range by a connection of the driver's own, with none of its rows: a few at a time."""
_UNKNOWN_SNAPSHOT = frozenset({"22023", "42704", "58P01", "0A000"})
"""What the server says to a name of which it has no snapshot: by release, and where another server is asked."""


@dataclass(frozen=True)
class Login:
    """Who reads. The password is never shown."""

    user: str
    password: str = field(repr=False)


def reading_session(spark: SparkSession) -> SparkSession:
    """A session with batches of a bounded number of rows, beside the given one, whose settings stay.

    :raises UnloadProblem: attempts of one task may run at the same time: each would replace parts of the other.
    """
    if spark.sparkContext.getConf().get("spark.speculation", "false") == "true":
        raise UnloadProblem("spark_failed", "spark.speculation is on: switch it off for the job that unloads")
    session = spark.newSession()
    session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(BATCH_ROWS))
    return session


def range_rows(session: SparkSession, source: Source, login: Login, table: PlanTable, part: PlanRange) -> DataFrame:
    """One partition with the rows of one range.

    JDBCRDD first switches autocommit off, because ``fetchsize`` is set (its Postgres dialect looks for that very spelling), then runs
    ``session_init`` and then the query, all on one connection: they are one transaction, which has imported the snapshot before it
    reads. Values travel in binary form (``prepareThreshold``), the rows by a cursor.

    :raises UnloadProblem: the database cannot be reached, or refuses the query.
    """
    reader = (
        session.read.format("jdbc")
        .option("url", source.url)
        .option("driver", DRIVER)
        .option("user", login.user)
        .option("dbtable", f"({range_query(table, part, source.visible)}) AS _unload")
        .option("sessionInitStatement", source.session_init)
        .option("fetchsize", str(BATCH_ROWS))
        .option("prepareThreshold", "-1")
        .option("tcpKeepAlive", "true")
        .option("connectTimeout", "10")
        .option("logServerErrorDetail", "false")
    )
    if login.password:
        reader = reader.option("password", login.password)
    try:
        with _SCHEMAS:
            return reader.load()
    except Exception as error:
        raise source_problem(error, table, part) from None


def source_problem(error: Exception, table: PlanTable, part: PlanRange) -> UnloadProblem:
    """What went wrong with a range, without any value: by what a task of ours has said, else by the server's code."""
    told = marked_problem(str(error))
    if told is not None:
        return told
    place: dict[str, str | int] = {"table": table.table, "range": part.number}
    state = str(warehouse_error(error).facts.get("sql_state", "")) if isinstance(error, Py4JJavaError) else ""
    if state in _UNKNOWN_SNAPSHOT:
        message = (
            "The server that an executor reached does not know the snapshot that another connection holds, or it was not imported: that "
            "connection has ended, or the address leads to more than one instance; give the snapshot the address of one"
        )
        return UnloadProblem("load_balanced_endpoint", message, **place, sql_state=state)
    if state[:2] == "08" or state[:3] == "57P":
        return UnloadProblem("connection_lost", f"The connection that read {table.table}, range {part.number}, was lost ({state})", **place)
    if state:
        return UnloadProblem("copy_failed", f"Postgres ended the read of {table.table}, range {part.number}: SQLSTATE {state}", **place)
    return UnloadProblem("spark_failed", f"Spark ended the task of {table.table}, range {part.number}: {type(error).__name__}", **place)
