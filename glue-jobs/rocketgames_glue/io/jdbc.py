"""Postgres by JDBC: where it is, how it is reached safely, and the driver's own connection by py4j.

The driver's connection runs what belongs in one transaction; rows travel by the executors' connections, which Spark makes of the same
properties. No Python driver of Postgres is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, unquote, unquote_plus

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.sql import SparkSession

from rocketgames_glue.io.jdbc_errors import warehouse_error
from rocketgames_glue.io.secrets import DatabaseSecret
from rocketgames_glue.job_error import JobError, UsageError

DRIVER = "org.postgresql.Driver"
_URL = re.compile(r"jdbc:postgresql://(?P<hosts>[^/?#\s@]+)/(?P<database>[^/?#\s@]+)(?:\?(?P<query>[^#\s]*))?")
_LOOPBACK = re.compile(r"(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d+)?")
_CREDENTIALS = frozenset({"user", "password", "sslpassword"})
_VERIFIED = frozenset({"verify-ca", "verify-full"})
_PARAMETERS = frozenset(
    {
        "sslmode", "sslrootcert", "sslcert", "sslkey", "sslnegotiation", "channelBinding", "gssEncMode",
        "targetServerType", "connectTimeout", "loginTimeout", "socketTimeout", "tcpKeepAlive", "ApplicationName",
    }
)
"""Of the driver's parameters those that a load may be given. Others could take the certificate's check away, or lead to another server."""


@dataclass(frozen=True)
class JdbcDatabase:
    """A database: ``url`` has no credentials, ``properties`` have them and are never shown."""

    url: str
    properties: Mapping[str, str] = field(repr=False)


def jdbc_database(url: str, user: str, password: str) -> JdbcDatabase:
    """How a database is reached: by TLS with the server's certificate and name verified, unless it is this machine.

    :param url: ``jdbc:postgresql://host:port/database?sslrootcert=…``, without credentials.
    :raises UsageError: the URL is none, has credentials, or asks for less than a verified certificate of a server elsewhere.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise UsageError("--jdbc-url must look like jdbc:postgresql://host:5432/database, without credentials")
    given = _parameters(found["query"] or "")
    here = all(_LOOPBACK.fullmatch(host) for host in found["hosts"].split(","))
    if not here and given.get("sslmode", "verify-full") not in _VERIFIED:
        raise UsageError("--jdbc-url: a server on another machine is reached with sslmode=verify-full (the default) or verify-ca only")
    # What the address says goes before what the properties say.
    return JdbcDatabase(url, {**_properties(user, password), **({} if here else {"sslmode": "verify-full"})})


def with_root_certificates(url: str, file: str | None) -> str:
    """The address with another file of certificates than it names: this machine has its own. Unchanged without a file.

    ``sslfactory`` goes: it says where certificates come from that no file names.
    """
    if file is None:
        return url
    address, _, query = url.partition("?")
    kept = [each for each in query.split("&") if each and each.partition("=")[0] not in ("sslrootcert", "sslfactory")]
    named = f"sslrootcert={quote(file, safe='')}"
    return f"{address}?{'&'.join([*kept, named])}"


def _parameters(query: str) -> dict[str, str]:
    """What stands behind the ``?``, read as the driver does: names as they are, in their own case; the last of two counts."""
    pairs = [each.partition("=") for each in query.split("&") if each]
    if any(unquote(name).lower() in _CREDENTIALS for name, _, _ in pairs):
        raise UsageError("--jdbc-url must not have credentials: give --secret-id, or --user and --password-env")
    if any(name not in _PARAMETERS for name, _, _ in pairs):
        raise UsageError(f"--jdbc-url may have these parameters, spelled like this: {', '.join(sorted(_PARAMETERS))}; sslmode is verify-full if not given")
    return {name: unquote_plus(value) for name, _, value in pairs}


def _properties(user: str, password: str) -> dict[str, str]:
    return {
        "user": user,
        "password": password,
        "ApplicationName": "rocketgames-load-warehouse",
        "tcpKeepAlive": "true",
        "connectTimeout": "10",
        "loginTimeout": "20",
        # No message of the driver quotes rows: they end in logs.
        "logServerErrorDetail": "false",
        "reWriteBatchedInserts": "true",
    }


def secret_url(secret: DatabaseSecret, secret_id: str) -> str:
    """The address that a secret of RDS has.

    :raises UsageError: it has none.
    """
    if secret.host is None or secret.dbname is None:
        raise UsageError(f"the secret {secret_id} does not say host and dbname: give --jdbc-url")
    return f"jdbc:postgresql://{secret.host}:{secret.port or 5432}/{secret.dbname}"


@dataclass
class JdbcConnection:
    """One connection of the driver. Statements commit one by one, but for those inside :meth:`transaction`. Not for several threads."""

    _connection: Any = field(repr=False)

    def execute(self, sql: str) -> None:
        """:raises JobError: ``warehouse-refused`` with the SQLSTATE, never with values."""
        statement = self._told(lambda: self._connection.createStatement())
        try:
            self._told(lambda: statement.execute(sql))
        finally:
            _close(statement)

    def update(self, sql: str, *parameters: str | int) -> int:
        """Runs a statement with parameters (``?``); answers the rows that it wrote."""
        prepared = self._prepared(sql, parameters)
        try:
            return int(self._told(prepared.executeUpdate))
        finally:
            _close(prepared)

    def rows(self, sql: str, *parameters: str | int) -> list[tuple[str | None, ...]]:
        """The rows of a small answer, every value as Postgres shows it in text."""
        prepared = self._prepared(sql, parameters)
        try:
            return self._told(lambda: _texts(prepared.executeQuery()))
        finally:
            _close(prepared)

    def number(self, sql: str, *parameters: str | int) -> int:
        """The one number that a query answers."""
        [[value]] = self.rows(sql, *parameters)
        return int(value or 0)

    def _prepared(self, sql: str, parameters: Sequence[str | int]) -> Any:
        prepared = self._told(lambda: self._connection.prepareStatement(sql))
        for position, value in enumerate(parameters, start=1):
            prepared.setString(position, str(value))
        return prepared

    def transaction(self) -> Transaction:
        """``with connection.transaction():`` commits at its end, and rolls back when it is left by an error."""
        return Transaction(self)

    def autocommit(self, on: bool) -> None:
        self._told(lambda: self._connection.setAutoCommit(on))

    def commit(self) -> None:
        self._told(self._connection.commit)

    def rollback(self) -> None:
        """A connection that is broken has been rolled back by the server: no second error hides the first."""
        try:
            self._connection.rollback()
            self._connection.setAutoCommit(True)
        except Py4JError:
            pass

    def close(self) -> None:
        _close(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _told(self, call: Any) -> Any:
        try:
            return call()
        except Py4JJavaError as error:
            raise warehouse_error(error) from None


@dataclass
class Transaction:
    """See :meth:`JdbcConnection.transaction`."""

    _of: JdbcConnection

    def __enter__(self) -> None:
        self._of.autocommit(False)

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        if kind is not None:
            self._of.rollback()
            return
        try:
            self._of.commit()
        except BaseException:
            self._of.rollback()
            raise
        self._of.autocommit(True)


def connect(spark: SparkSession, database: JdbcDatabase) -> JdbcConnection:
    """Opens a connection from the Spark driver.

    The class loader of the thread knows the jars of the job (``--extra-jars`` of AWS Glue); ``DriverManager`` would not.

    :raises JobError: ``warehouse-unreachable``; ``jdbc-driver-missing``.
    """
    jvm: Any = spark._jvm
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    try:
        driver = jvm.java.lang.Class.forName(DRIVER, True, loader).newInstance()
    except Py4JJavaError:
        raise JobError(
            "jdbc-driver-missing", f"{DRIVER} is not on the class path: on AWS Glue give its jar by --extra-jars"
        ) from None
    properties = jvm.java.util.Properties()
    for name, value in database.properties.items():
        properties.setProperty(name, value)
    try:
        return JdbcConnection(driver.connect(database.url, properties))
    except Py4JJavaError as error:
        told = warehouse_error(error)
        told.code = "warehouse-unreachable"
        raise told from None


def _texts(answer: Any) -> list[tuple[str | None, ...]]:
    width = answer.getMetaData().getColumnCount()
    found = []
    while answer.next():
        found.append(tuple(answer.getString(column) for column in range(1, width + 1)))
    return found


def _close(closable: Any) -> None:
    try:
        closable.close()
    except Py4JError:
        pass  # It is broken, and so closed.
