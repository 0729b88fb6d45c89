"""Where an unload has its secrets from: AWS Secrets Manager, by botocore's Stubber, or the environment. None is ever shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import unload_matrix as matrix
from botocore.stub import Stubber
from test_unload_plan import PLAN

from rocketgames_glue.arguments import Place, unload_arguments
from rocketgames_glue.job_error import JobError, UsageError
from rocketgames_glue.jobs import unload, unload_range
from rocketgames_glue.jobs.unload_range import KeySource, RangeTask
from rocketgames_glue.unload.plan import read_plan
from rocketgames_glue.unload.problems import marked_problem

PLACE = Place("bucket", "eu-central-1", None, on_glue=True)
BASE = ["--plan", "s3://bucket/unload/v1/s/plan.json", "--bucket", "bucket", "--region", "eu-central-1"]
SECRET = ["--secret-id", "database", "--pseudonym-key-secret", "key"]


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """Stands in for Secrets Manager wherever the job asks it."""
    client = boto3.client("secretsmanager", region_name="eu-central-1", aws_access_key_id="none", aws_secret_access_key="none")

    def given(service: str, region: str, endpoint_url: str | None = None) -> Any:
        assert (service, region, endpoint_url) == ("secretsmanager", "eu-central-1", None)
        return client

    for module in (unload, unload_range):
        monkeypatch.setattr(module, "aws_client", given)
    unload_range._pseudonyms.cache_clear()
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()
    unload_range._pseudonyms.cache_clear()


def test_user_and_password_come_from_the_secret_of_the_database(secrets: Stubber) -> None:
    secret = {"username": "u", "password": "hidden-word", "host": "elsewhere", "port": 5432}
    secrets.add_response("get_secret_value", {"SecretString": json.dumps(secret)}, {"SecretId": "database"})
    login = unload._login(unload_arguments([*BASE, *SECRET]), _plan())
    assert (login.user, login.password) == ("u", "hidden-word")
    assert "hidden-word" not in repr(login)


def test_a_secret_of_another_user_is_refused(secrets: Stubber) -> None:
    secret = {"username": "reader", "password": "hidden-word"}
    secrets.add_response("get_secret_value", {"SecretString": json.dumps(secret)}, {"SecretId": "database"})
    with pytest.raises(UsageError, match="of the user reader, the service reads as u") as told:
        unload._login(unload_arguments([*BASE, *SECRET]), _plan())
    assert "hidden-word" not in str(told.value)


def test_without_a_secret_the_user_is_that_of_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = unload_arguments([*BASE, "--password-env", "UNLOAD_WORD", "--pseudonym-key-env", "UNLOAD_KEY"])
    monkeypatch.delenv("UNLOAD_WORD", raising=False)
    with pytest.raises(UsageError, match="UNLOAD_WORD is not set"):
        unload._login(arguments, _plan())
    for word in ("hidden-word", ""):
        monkeypatch.setenv("UNLOAD_WORD", word)
        assert unload._login(arguments, _plan()) == unload.Login("u", word)


def test_a_task_asks_for_the_key_once(secrets: Stubber) -> None:
    secrets.add_response("get_secret_value", {"SecretString": f"{matrix.PSEUDONYM_KEY}\n"}, {"SecretId": "key"})
    first, second = (unload_range._pseudonyms(KeySource(None, "key"), PLACE) for _ in range(2))
    assert first is second
    assert first.of(bytes(16)) == unload_range.pseudonyms(matrix.PSEUDONYM_KEY).of(bytes(16))


REFUSALS: dict[str, tuple[Callable[[Stubber], Any], str]] = {
    "denied": (
        lambda stub: stub.add_client_error("get_secret_value", "AccessDeniedException", "User arn:… is not authorized"),
        "AccessDeniedException.*needs secretsmanager:GetSecretValue on key",
    ),
    "binary": (lambda stub: stub.add_response("get_secret_value", {"SecretBinary": b"hidden-word"}), "it is binary, or empty"),
    "short": (lambda stub: stub.add_response("get_secret_value", {"SecretString": "07" * 31}), "key: .* has 32 bytes, this one 31"),
    "no key": (lambda stub: stub.add_response("get_secret_value", {"SecretString": '{"key": "hidden-word"}'}), "64 hexadecimal digits"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_key_that_cannot_be_had_is_told_before_spark_begins(secrets: Stubber, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    answer, said = REFUSALS[case]
    secrets.add_response("get_secret_value", {"SecretString": '{"username": "u", "password": "p"}'}, {"SecretId": "database"})
    answer(secrets)
    asked = unload.aws_client
    monkeypatch.setattr(unload, "aws_client", lambda service, *place: None if service == "s3" else asked(service, *place))
    monkeypatch.setattr(unload, "stored_plan", lambda _client, _address: _plan())
    monkeypatch.setattr(unload, "spark_session", lambda _settings: pytest.fail("Spark was started"))
    with pytest.raises(JobError, match=said) as told:
        unload.run(unload_arguments([*BASE, *SECRET]))
    assert "hidden-word" not in str(told.value) + str(told.value.facts)
    assert told.value.__context__ is None or told.value.__suppress_context__


@pytest.mark.parametrize("case", ["denied", "short"])
def test_a_task_without_a_key_says_what_it_lacks(secrets: Stubber, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    answer, said = REFUSALS[case]
    answer(secrets)
    monkeypatch.setattr(unload_range, "_storage", lambda _place: None)
    plan = _plan()
    [table] = plan.tables
    task = RangeTask(PLACE, table, table.ranges[0], plan.encoding, {}, KeySource(None, "key"))
    with pytest.raises(RuntimeError, match=said) as told:
        list(task([]))
    problem = marked_problem(str(told.value))
    assert problem is not None and problem.problem_code == "spark_failed" and problem.message.startswith("players, range 0: ")


def _plan() -> Any:
    return read_plan(json.dumps(PLAN).encode(), "plan.json")
