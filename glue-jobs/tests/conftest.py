"""What the tests share: one Spark, clients of the local AWS endpoints with a bucket of their own, a migrated Postgres of their own.

``npm run test:python -- <pytest arguments>`` brings the endpoints and Postgres up and tells their addresses in the environment. A test
that needs neither also runs by pytest alone; one that does is skipped there, and fails with ``CI=true``.
"""

from __future__ import annotations

import os
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import boto3
import pytest
from botocore.config import Config
from file_oracle import FileOracle, file_oracle
from pyspark.sql import SparkSession

from rocketgames_glue.arguments import Place
from rocketgames_glue.session import SessionSettings, session_settings, spark_session

SMALL_JVM = os.environ.get("ROCKETGAMES_SPARK_JAVA_OPTIONS") or "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For a Java that lives for seconds; from the program that brings up the tests with an archive of Spark's classes."""


def pytest_configure() -> None:
    """pytest and all that it started end with the program that brought up what they use, also when that is killed."""
    pipe = os.environ.pop("TEST_PARENT_PIPE", None)
    if pipe is not None:
        threading.Thread(target=_end_with, args=(int(pipe),), daemon=True).start()


def _end_with(pipe: int) -> None:
    while os.read(pipe, 4096):
        pass
    os.killpg(0, signal.SIGKILL)


def counted(small: int, full: int) -> int:
    """How often a test repeats: few times in ``npm test``, the full count with ``PROOF=full``."""
    return full if os.environ.get("PROOF") == "full" else small


def _lacking(what: str) -> NoReturn:
    reason = f"{what} is not running: use npm run test:python"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Aws:
    """The local endpoints. ``client`` makes a boto3 client of any service; ``bucket`` is new and empty, ``place`` names it for a job."""

    endpoint_url: str
    region: str
    bucket: str
    client: Callable[[str], Any]

    @property
    def place(self) -> Place:
        return Place(self.bucket, self.region, self.endpoint_url, on_glue=False)

    def put(self, key: str, body: bytes | str) -> None:
        """Writes one object into the bucket."""
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body.encode() if isinstance(body, str) else body)

    def read(self, key: str) -> bytes:
        """:raises botocore.exceptions.ClientError: there is no such object."""
        return self.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def keys(self, prefix: str = "") -> list[str]:
        """All keys below a prefix, ascending."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]


@dataclass(frozen=True)
class Postgres:
    """A migrated database: ``jdbc_url`` has no credentials; ``password_env`` names the variable that holds the password.

    ``sql(*statements)`` runs them one by one, each committed, by JDBC and not by what is tested; it answers with the rows of the last.
    """

    jdbc_url: str
    user: str
    password: str
    password_env: str
    sql: Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One session for all tests of the run: two cores, two shuffle partitions; S3A on the local endpoint where that runs."""
    endpoint = os.environ.get("TEST_AWS_ENDPOINT")
    place = None if endpoint is None else Place("unused", os.environ["AWS_REGION"], endpoint, on_glue=False)
    jars = session_settings("rocketgames-tests").jars
    settings = SessionSettings("rocketgames-tests", place, jars, cores=2, memory="1g", java_options=SMALL_JVM)
    session = spark_session(settings)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def oracle() -> Iterator[FileOracle]:
    """The service's own reader of Parquet files."""
    with file_oracle() as found:
        yield found


def _client(endpoint: str) -> Callable[[str], Any]:
    made: dict[str, Any] = {}
    path_style = Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "max_attempts": 3})

    def client(service: str) -> Any:
        if service not in made:
            made[service] = boto3.client(service, endpoint_url=endpoint, region_name=os.environ["AWS_REGION"], config=path_style)
        return made[service]

    return client


@pytest.fixture(scope="session")
def aws_client() -> Callable[[str], Any]:
    """boto3 clients of the local endpoints by the service's name."""
    endpoint = os.environ.get("TEST_AWS_ENDPOINT")
    return _lacking("the local AWS endpoint") if endpoint is None else _client(endpoint)


@pytest.fixture
def aws(aws_client: Callable[[str], Any]) -> Aws:
    """The local endpoints with a bucket that nobody else uses. It goes with the endpoints."""
    bucket = f"test-{uuid.uuid4().hex}"
    aws_client("s3").create_bucket(Bucket=bucket)
    return Aws(os.environ["TEST_AWS_ENDPOINT"], os.environ["AWS_REGION"], bucket, aws_client)


def _execute(spark: SparkSession, url: str, statements: tuple[str, ...]) -> list[dict[str, Any]]:
    """One connection in autocommit; answers with the rows of the last statement, values as Java gives them to Python."""
    jvm = spark.sparkContext._jvm
    rows: list[dict[str, Any]] = []
    connection = jvm.org.postgresql.Driver().connect(url, jvm.java.util.Properties())
    try:
        for statement in statements:
            handle = connection.createStatement()
            rows = []
            if handle.execute(statement):
                result = handle.getResultSet()
                about = result.getMetaData()
                names = [about.getColumnLabel(i + 1) for i in range(about.getColumnCount())]
                while result.next():
                    rows.append({name: result.getObject(i + 1) for i, name in enumerate(names)})
            handle.close()
        return rows
    finally:
        connection.close()


@pytest.fixture
def postgres(spark: SparkSession) -> Iterator[Postgres]:
    """A database of its own, cloned from the migrated template, and gone after the test."""
    admin = os.environ.get("TEST_POSTGRES_JDBC_URL")
    if admin is None:
        _lacking("Postgres")
    user, password = os.environ["TEST_POSTGRES_USER"], os.environ["TEST_POSTGRES_PASSWORD"]
    name = f"test_{uuid.uuid4().hex}"
    jdbc_url = f"{admin.rsplit('/', 1)[0]}/{name}"

    def on(url: str) -> Callable[..., list[dict[str, Any]]]:
        return lambda *statements: _execute(spark, f"{url}?user={user}&password={password}", statements)

    on(admin)(f"CREATE DATABASE {name} TEMPLATE accounts_template")
    yield Postgres(jdbc_url, user, password, "TEST_POSTGRES_PASSWORD", on(jdbc_url))
    on(admin)(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
