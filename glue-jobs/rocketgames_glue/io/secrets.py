"""Secrets: out of AWS Secrets Manager, or of the environment on a machine without one. Never logged, never shown."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rocketgames_glue.io.aws import error_code
from rocketgames_glue.job_error import JobError, UsageError


@dataclass(frozen=True)
class DatabaseSecret:
    """A secret in the form that RDS and Redshift rotate: ``host``, ``port`` and ``dbname`` are None where the secret has none."""

    username: str
    password: str = field(repr=False)
    host: str | None
    port: int | None
    dbname: str | None


def secret_text(client: Any, secret_id: str) -> str:
    """The current version of a secret, as text.

    :param client: of ``secretsmanager``.
    :raises JobError: ``secret-unavailable``, with the code of the answer and never its text.
    """
    try:
        answer = client.get_secret_value(SecretId=secret_id)
    except (ClientError, BotoCoreError) as error:
        raise _unavailable(secret_id, error_code(error) or type(error).__name__) from None
    text = answer.get("SecretString")
    if not text:
        raise _unavailable(secret_id, "it is binary, or empty")
    return str(text)


def _unavailable(secret_id: str, why: str) -> JobError:
    return JobError(
        "secret-unavailable",
        f"Secrets Manager did not give it: {why}. The job's role needs secretsmanager:GetSecretValue on {secret_id}, and kms:Decrypt on its key",
        secret_id=secret_id,
        reason=why,
    )


def database_secret(client: Any, secret_id: str) -> DatabaseSecret:
    """The credentials of a database, and where it is.

    :raises JobError: ``secret-unavailable``; ``secret-malformed`` names what is missing, and shows nothing of what is there.
    """
    try:
        given = json.loads(secret_text(client, secret_id))
    except ValueError:
        raise _malformed(secret_id, "it is no JSON") from None
    if not isinstance(given, dict):
        raise _malformed(secret_id, "it is no JSON object")
    missing = [name for name in ("username", "password") if not isinstance(given.get(name), str) or not given[name]]
    if missing:
        raise _malformed(secret_id, f"it has no {' and no '.join(missing)}")
    port = given.get("port")
    if port is not None and (not str(port).isdecimal() or not 0 < int(port) < 65536):
        raise _malformed(secret_id, "its port is no port")
    return DatabaseSecret(
        username=given["username"],
        password=given["password"],
        host=_optional(given.get("host")),
        port=None if port is None else int(port),
        dbname=_optional(given.get("dbname")),
    )


def _optional(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _malformed(secret_id: str, why: str) -> JobError:
    return JobError(
        "secret-malformed",
        f"The secret {secret_id} cannot be used: {why}. It must be as RDS makes it: username, password, host, port, dbname",
        secret_id=secret_id,
    )


def environment_secret(name: str) -> str:
    """A secret of the process's environment.

    :raises UsageError: the variable is not set, or empty.
    """
    value = os.environ.get(name)
    if not value:
        raise UsageError(f"the environment variable {name} is not set")
    return value
