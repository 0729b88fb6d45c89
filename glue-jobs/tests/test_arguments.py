"""Arguments, log and contract: what is refused, and that no secret is ever shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timezone
from typing import Any

import pytest
from pyspark.sql import types as T

from rocketgames_glue.arguments import curate_arguments, load_arguments, unload_arguments
from rocketgames_glue.contract import load_contract, spark_schema, spark_type
from rocketgames_glue.job_error import UsageError
from rocketgames_glue.job_log import log

PLACE = ["--bucket", "lake", "--region", "eu-central-1"]
CURATE = [*PLACE, "--results", "s3://results/athena/"]
POSTGRES = [*PLACE, "--target", "postgres", "--jdbc-url", "jdbc:postgresql://db:5432/warehouse"]
UNLOAD = [*PLACE, "--plan", "s3://lake/unload/v1/x/plan.json"]


def test_defaults_and_switches_with_and_without_a_value() -> None:
    plain = curate_arguments(CURATE)
    assert (plain.database, plain.workgroup, plain.small_cell, plain.keep_runs) == ("rocketgames_curated", "rocketgames", 10, 3)
    assert not plain.full_rebuild and plain.place.uri("a/b") == "s3a://lake/a/b"
    for given in (["--full-rebuild"], ["--full-rebuild", "true"], ["--full-rebuild=true"], ["--full-rebuild", ""]):
        assert curate_arguments([*CURATE, *given]).full_rebuild, given
    assert not curate_arguments([*CURATE, "--full-rebuild", "false"]).full_rebuild
    glue = curate_arguments([*CURATE, "--JOB_NAME", "x", "--some-new-option", "y"])
    assert glue.place.uri("a/b") == "s3://lake/a/b"


@pytest.mark.parametrize(
    ("parse", "argv", "words"),
    [
        (curate_arguments, PLACE, "--results"),
        (curate_arguments, [*CURATE, "--small-cell", "0"], "from 1 to 1000"),
        (curate_arguments, [*CURATE, "--keep-runs", "1.5"], "from 1 to 100"),
        (curate_arguments, [*CURATE, "--full-rebuild", "maybe"], "true or false"),
        (curate_arguments, [*CURATE, "--full"], "unknown: --full"),
        (curate_arguments, [*CURATE, "--lose-history"], "belongs to --full-rebuild"),
        (curate_arguments, [*CURATE, "--api-url", "https://accounts.example"], "--api-key-secret or --api-key-env is required"),
        (curate_arguments, [*CURATE, "--database", "x; DROP"], "--database"),
        (load_arguments, [*PLACE, "--target", "oracle"], "oracle"),
        (load_arguments, [*PLACE, "--target", "postgres"], "--jdbc-url"),
        (load_arguments, POSTGRES, "--password-env or --secret-id is required"),
        (load_arguments, [*POSTGRES, "--password-env", "A", "--secret-id", "b"], "not both"),
        (load_arguments, [*PLACE, "--target", "postgres", "--jdbc-url", "jdbc:postgresql://me:pw@db/x"], "without credentials"),
        (unload_arguments, [*UNLOAD, "--ssl-root-cert", "a b"], "--ssl-root-cert"),
        (unload_arguments, [*UNLOAD, "--password-env", "A"], "--pseudonym-key-env or --pseudonym-key-secret"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_begun(parse: Callable[[Sequence[str]], Any], argv: list[str], words: str) -> None:
    with pytest.raises(UsageError) as told:
        parse(argv)
    assert words in str(told.value)


def test_a_line_of_the_log_is_json_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    log(
        "probe",
        rows=3,
        taken_at=datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=timezone.utc),
        day=date(2026, 1, 2),
        password="hunter2",
        pseudonym_key="00ff",
        nested={"api_key": "rk_1", "secret_id": "warehouse/login"},
        url="jdbc:postgresql://me:hunter2@db/x?user=me&password=hunter2",
        long="x" * 5_000,
        text="two\nlines",
    )
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["event"], told["rows"], told["taken_at"], told["day"]) == ("probe", 3, "2026-01-02T03:04:05.678Z", "2026-01-02")
    assert told["nested"] == {"api_key": "(not shown)", "secret_id": "warehouse/login"}
    assert "hunter2" not in line and "00ff" not in line and len(told["long"]) == 2_001 and told["text"] == "two\nlines"


def test_credentials_in_any_text_are_not_shown_and_what_is_none_is(capsys: pytest.CaptureFixture[str]) -> None:
    secret = "hunter2"
    texts = [
        f"jdbc:postgresql://me:hun/{secret}@db:5432/x is not there",
        f"https://{secret}@accounts.example/v1",
        f"connection to host=db password='a {secret}' failed",
        f"jdbc:redshift://db/x;PWD={secret};ssl=true",
        f"https://s3/x?X-Amz-Credential={secret}&X-Amz-Signature={secret}",
        f"SNOWFLAKE_PASSWORD={secret} is refused",
        f"header Bearer {secret}",
    ]
    names = ("passwd", "db_pwd", "Authorization", "privateKey", "apiKey", "session_token", "aws_secret_access_key")
    named = dict.fromkeys(names, secret)
    log("probe", message=texts[0], texts=texts, nested={"at": texts}, ratio=float("nan"), **named)
    (line,) = capsys.readouterr().err.splitlines()
    assert secret not in line
    told = json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert "db:5432/x is not there" in told["message"] and told["ratio"] == "nan"
    plain = {"url": "http://127.0.0.1:4566/a", "secret_id": "warehouse/login", "pseudonym_key_version": 3, "password_env_missing": 1}
    log("probe", **plain)
    assert {**plain, "password_env_missing": "(not shown)"}.items() <= json.loads(capsys.readouterr().err).items()


def test_the_contract_gives_each_table_its_schema() -> None:
    contract = load_contract()
    assert {"players", "studios", "games", "player_games"} <= set(contract.tables)
    players = spark_schema(contract.tables["players"])
    assert players["player_ref"].dataType == T.StringType() and players["created_at"].dataType == T.TimestampType()
    assert all(each.nullable for each in players)
    assert spark_type("decimal(12,2)") == T.DecimalType(12, 2)
    with pytest.raises(ValueError, match="no type of the contract"):
        spark_type("array<string>")
