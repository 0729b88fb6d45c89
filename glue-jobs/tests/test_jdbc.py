"""A database is reached by verified TLS or not at all; credentials come from secrets and are never shown."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from pyspark.sql import SparkSession

from rocketgames_glue.io.jdbc import connect, jdbc_database, secret_url, with_root_certificates
from rocketgames_glue.io.secrets import DatabaseSecret, database_secret, environment_secret
from rocketgames_glue.job_error import JobError, UsageError

RDS = "accounts.c0ffee.eu-central-1.rds.amazonaws.com"
SECRET = {"username": "loader", "password": "hidden-word", "engine": "postgres", "host": RDS, "port": 5433, "dbname": "warehouse"}


def test_another_machine_is_reached_with_its_certificate_verified_and_loopback_as_it_is() -> None:
    there = jdbc_database(f"jdbc:postgresql://{RDS}:5432/warehouse?sslrootcert=global-bundle.pem", "loader", "hidden-word")
    assert there.properties["sslmode"] == "verify-full"
    assert "hidden-word" not in repr(there) + there.url
    with_authority = jdbc_database(f"jdbc:postgresql://{RDS}/w?sslrootcert=a.pem&sslmode=verify-ca", "a", "b")
    assert with_authority.url.endswith("&sslmode=verify-ca"), "which goes before the property"
    for here in ("127.0.0.1:5432", "localhost", "[::1]:5432", "127.0.0.1,localhost:1"):
        assert "sslmode" not in jdbc_database(f"jdbc:postgresql://{here}/w", "a", "b").properties
    assert jdbc_database(f"jdbc:postgresql://127.0.0.1,{RDS}/w", "a", "b").properties["sslmode"] == "verify-full"
    assert jdbc_database("jdbc:postgresql://localhost.example.org/w", "a", "b").properties["sslmode"] == "verify-full"


def test_a_machine_has_its_own_file_of_authorities_whatever_the_address_names() -> None:
    url = f"jdbc:postgresql://{RDS}:5432/accounts?ApplicationName=unload&sslmode=verify-full&sslrootcert=%2Fapp%2Frds-ca.pem"
    kept = f"jdbc:postgresql://{RDS}:5432/accounts?ApplicationName=unload&sslmode=verify-full&sslrootcert=0a1b.pem"
    assert with_root_certificates(url, "0a1b.pem") == kept
    by_java = url.replace("sslrootcert=%2Fapp%2Frds-ca.pem", "sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory")
    assert with_root_certificates(by_java, "0a1b.pem") == kept, "the driver would ask Java's own authorities and never look at the file"
    assert with_root_certificates(f"jdbc:postgresql://{RDS}/w", "a b&c") == f"jdbc:postgresql://{RDS}/w?sslrootcert=a%20b%26c"
    assert with_root_certificates(url, None) == url


@pytest.mark.parametrize(
    "query",
    [
        "sslmode=disable", "sslmode=prefer", "sslmode=require", "sslmode=", "sslmode=verify-full&sslmode=allow", "ssl=false", "socketFactory=x",
        # The driver takes these for parameters that it does not know, and so for its default: TLS if the server likes.
        "SSLMODE=verify-full", "%73slmode=verify-full", "sslmode%3Dverify-full",
        # Certificates that anybody made; another server.
        "sslfactory=org.postgresql.ssl.NonValidatingFactory", "sslhostnameverifier=x", "service=other", "host=other", "PGHOST=other",
    ],
)
def test_less_than_a_verified_certificate_is_refused(query: str) -> None:
    with pytest.raises(UsageError, match="verify-full"):
        jdbc_database(f"jdbc:postgresql://{RDS}/w?{query}", "a", "b")


@pytest.mark.parametrize(
    "url", ["jdbc:postgresql://loader:hidden-word@db/w", "jdbc:postgresql://db/w?user=a", "jdbc:postgresql://db/w?PASSWORD=hidden-word", "jdbc:mysql://db/w"]
)
def test_credentials_in_an_address_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="credentials") as told:
        jdbc_database(url, "a", "b")
    assert "hidden-word" not in str(told.value)


def test_the_driver_itself_wants_the_certificate(spark: SparkSession, postgres: Any) -> None:
    with pytest.raises(JobError, match="warehouse-unreachable.*SQLSTATE 08"):
        connect(spark, jdbc_database(f"{postgres.jdbc_url}?sslmode=verify-full", postgres.user, postgres.password))
    with pytest.raises(JobError, match="warehouse-unreachable.*SQLSTATE 3D000.*does not exist"):
        connect(spark, jdbc_database(postgres.jdbc_url + "_not", postgres.user, postgres.password))


def given(text: str | None) -> Any:
    client = boto3.client("secretsmanager", region_name="eu-central-1", aws_access_key_id="none", aws_secret_access_key="none")
    stub = Stubber(client)
    answer = {"Name": "warehouse"} if text is None else {"Name": "warehouse", "SecretString": text}
    stub.add_response("get_secret_value", answer, {"SecretId": "warehouse"})
    stub.activate()
    return client


def test_a_secret_in_the_form_of_rds_says_who_and_where() -> None:
    secret = database_secret(given(json.dumps(SECRET)), "warehouse")
    assert secret == DatabaseSecret("loader", "hidden-word", RDS, 5433, "warehouse")
    assert secret_url(secret, "warehouse") == f"jdbc:postgresql://{RDS}:5433/warehouse"
    assert "hidden-word" not in repr(secret)
    as_text = database_secret(given(json.dumps({**SECRET, "port": "5432"})), "warehouse")
    assert as_text.port == 5432
    without = database_secret(given(json.dumps({"username": "a", "password": "b"})), "warehouse")
    with pytest.raises(UsageError, match="--jdbc-url"):
        secret_url(without, "warehouse")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (json.dumps({**SECRET, "password": ""}), "it has no password"),
        (json.dumps({"host": RDS}), "it has no username and no password"),
        (json.dumps({**SECRET, "port": "hidden-word"}), "its port is no port"),
        ("hidden-word", "it is no JSON"),
        ('["hidden-word"]', "it is no JSON object"),
        (None, "it is binary, or empty"),
    ],
)
def test_a_secret_that_cannot_be_used_is_told_without_showing_it(text: str | None, why: str) -> None:
    with pytest.raises(JobError, match=f"secret-.*{why}") as told:
        database_secret(given(text), "warehouse")
    assert "hidden-word" not in str(told.value) + str(told.value.facts)


def test_a_secret_that_may_not_be_read_is_told_with_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("secretsmanager", region_name="eu-central-1", aws_access_key_id="none", aws_secret_access_key="none")
    with Stubber(client) as stub:
        stub.add_client_error("get_secret_value", "AccessDeniedException", "User arn:… is not authorized")
        with pytest.raises(JobError, match="secret-unavailable.*AccessDeniedException.*secretsmanager:GetSecretValue"):
            database_secret(client, "warehouse")
    monkeypatch.delenv("NO_SUCH_VARIABLE", raising=False)
    with pytest.raises(UsageError, match="NO_SUCH_VARIABLE is not set"):
        environment_secret("NO_SUCH_VARIABLE")
