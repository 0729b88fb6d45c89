"""What the JDBC driver throws, as far as a log may know it: never a row's value."""

from __future__ import annotations

from typing import Any

from py4j.protocol import Py4JJavaError

from rocketgames_glue.job_error import JobError

_TELLING_CLASSES = frozenset({"08", "0A", "28", "3D", "3F", "42", "53", "54", "55", "57", "58"})
"""Classes of SQLSTATE whose messages speak of the server and of names, never of a row's values."""
_CAUSES_MAX = 20


def warehouse_error(error: Py4JJavaError, doing: str = "The database refused a statement") -> JobError:
    """What Java threw, as far as it may be told: SQLSTATE, constraint; the message only where it cannot quote a row."""
    cause, state, constraint, message = error.java_exception, None, None, None
    for _ in range(_CAUSES_MAX):
        if cause is None:
            break
        state, constraint, message = _sql_facts(cause, state, constraint, message)
        cause = _next_cause(cause)
    if state is None:
        return JobError("warehouse-refused", f"{doing}: {error.java_exception.getClass().getName()}", reason="not SQL")
    telling = state[:2] in _TELLING_CLASSES and message
    text = f"SQLSTATE {state}{f', constraint {constraint}' if constraint else ''}{f': {message}' if telling else ''}"
    return JobError("warehouse-refused", f"{doing}: {text}", sql_state=state)


def _sql_facts(cause: Any, state: str | None, constraint: str | None, message: str | None) -> tuple[str | None, str | None, str | None]:
    name = cause.getClass().getName()
    if name == "org.postgresql.util.PSQLException":
        server = cause.getServerErrorMessage()
        if server is not None:
            return server.getSQLState(), server.getConstraint(), server.getMessage()
        return state or cause.getSQLState(), constraint, message or cause.getMessage()
    if name == "java.sql.BatchUpdateException":
        return state or cause.getSQLState(), constraint, message
    return state, constraint, message


def _next_cause(cause: Any) -> Any:
    if cause.getClass().getName() == "java.sql.BatchUpdateException" and cause.getNextException() is not None:
        return cause.getNextException()
    return cause.getCause()
