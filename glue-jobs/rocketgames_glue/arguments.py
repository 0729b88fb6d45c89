"""The arguments of the jobs: the same on AWS Glue, where they are the job's default arguments, and on any other machine."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from rocketgames_glue.job_error import UsageError

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)
_HTTP = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
_RUN_ID = re.compile(r"\d{8}t\d{6}z-[0-9a-hjkmnp-tv-z]{8}")
_JDBC = re.compile(r"jdbc:postgresql://[^\s@]+")
_FILE = re.compile(r"[\w./-]{1,255}")
SMALL_CELL_MAX = 1_000
KEEP_RUNS_MAX = 100


@dataclass(frozen=True)
class Place:
    """Where the lake is. ``endpoint_url`` only for an S3 that is not that of AWS; ``on_glue``: AWS Glue started the job."""

    bucket: str
    region: str
    endpoint_url: str | None
    on_glue: bool

    @property
    def scheme(self) -> str:
        """Of S3 addresses as Spark takes them: ``s3`` is that of AWS Glue, ``s3a`` that of Hadoop, everywhere else."""
        return "s3" if self.on_glue else "s3a"

    def uri(self, key: str) -> str:
        """The address of an object or a prefix of the lake's bucket, for Spark."""
        return f"{self.scheme}://{self.bucket}/{key}"


@dataclass(frozen=True)
class S3Address:
    """``s3://bucket/key``."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class CurateArguments:
    """Of the job that makes the curated tables. ``small_cell`` counts players, ``keep_runs`` the current run and those before it."""

    place: Place
    database: str
    workgroup: str
    results: S3Address
    api_url: str | None
    api_key_secret: str | None
    api_key_env: str | None
    full_rebuild: bool
    lose_history: bool
    small_cell: int
    keep_runs: int


@dataclass(frozen=True)
class LoadArguments:
    """Of the job that loads a warehouse: those of one ``target`` are set, the others None.

    ``ssl_root_cert``: a file of this machine with the authorities of Postgres, whatever the address names.
    ``run_id`` None: the run that is current. ``allow_older``: a run older than the loaded one may take its place; ``reload``: a run
    that is loaded is loaded once more.
    """

    place: Place
    target: str
    schema: str
    jdbc_url: str | None
    user: str | None
    password_env: str | None
    secret_id: str | None
    ssl_root_cert: str | None
    redshift_workgroup: str | None
    redshift_cluster: str | None
    redshift_database: str | None
    iam_role: str | None
    stage: str | None
    run_id: str | None
    allow_older: bool
    reload: bool


@dataclass(frozen=True)
class UnloadArguments:
    """Of the job that reads the tables of a snapshot for the service, which plans, commits and publishes it. ``ssl_root_cert`` as to load."""

    place: Place
    plan: S3Address
    password_env: str | None
    secret_id: str | None
    ssl_root_cert: str | None
    pseudonym_key_env: str | None
    pseudonym_key_secret: str | None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def _matching(pattern: re.Pattern[str], example: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise argparse.ArgumentTypeError(f"must look like {example}")
        return text

    return check


def _count(low: int, high: int) -> Callable[[str], int]:
    def check(text: str) -> int:
        if re.fullmatch(r"\d{1,9}", text) is None or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"must be a whole number from {low} to {high}")
        return int(text)

    return check


def _s3_address(text: str) -> S3Address:
    found = _S3.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError("must look like s3://bucket/key")
    return S3Address(found[1], found[2] or "")


def _switch(text: str) -> bool:
    """AWS Glue knows no argument without a value: ``--full-rebuild true`` there, ``--full-rebuild`` anywhere."""
    if text not in ("true", "false", ""):
        raise argparse.ArgumentTypeError("must be true or false, or nothing for true")
    return text != "false"


_variable = _matching(_VARIABLE, "the name of an environment variable")
_name = _matching(_NAME, "accounts: small letters, digits and underscores, at most 63 characters")
_text = _matching(re.compile(r"\S(.*\S)?"), "a text without spaces around it")


def _parser(job: str) -> _Parser:
    # No abbreviations: one that AWS Glue adds some day must not be taken for one of ours.
    parser = _Parser(prog=job, allow_abbrev=False, add_help=False)
    parser.add_argument("--bucket", required=True, type=_matching(_BUCKET, "a bucket's name"))
    parser.add_argument("--region", required=True, type=_matching(_REGION, "eu-central-1"))
    parser.add_argument("--endpoint-url", type=_matching(_HTTP, "http://127.0.0.1:4566"))
    return parser


def _parse(parser: _Parser, argv: Sequence[str]) -> argparse.Namespace:
    """AWS Glue adds arguments of its own; anywhere else one that nobody knows is a mistake."""
    given = list(argv)
    on_glue = "--JOB_NAME" in given
    values, unknown = parser.parse_known_args(given)
    if unknown and not on_glue:
        raise UsageError(f"unknown: {' '.join(each.split('=')[0] for each in unknown if each.startswith('-')) or 'a word'}")
    values.place = Place(values.bucket, values.region, values.endpoint_url, on_glue)
    for name in ("bucket", "region", "endpoint_url"):
        delattr(values, name)
    return values


def _exclusive(values: argparse.Namespace, *names: str, required: bool) -> None:
    given = [name for name in names if getattr(values, name) is not None]
    options = " or ".join(f"--{name.replace('_', '-')}" for name in names)
    if len(given) > 1:
        raise UsageError(f"give one of {options}, not both")
    if required and not given:
        raise UsageError(f"{options} is required")


def curate_arguments(argv: Sequence[str]) -> CurateArguments:
    """:param argv: without the program's name. :raises UsageError: what is missing or wrong."""
    parser = _parser("curate_accounts")
    parser.add_argument("--database", default="rocketgames_curated", type=_name)
    parser.add_argument("--workgroup", default="rocketgames", type=_text)
    parser.add_argument("--results", required=True, type=_s3_address)
    parser.add_argument("--api-url", type=_matching(_HTTP, "https://accounts.example"))
    parser.add_argument("--api-key-secret", type=_text)
    parser.add_argument("--api-key-env", type=_variable)
    for switch in ("--full-rebuild", "--lose-history"):
        parser.add_argument(switch, nargs="?", const=True, default=False, type=_switch)
    parser.add_argument("--small-cell", default=10, type=_count(1, SMALL_CELL_MAX))
    parser.add_argument("--keep-runs", default=3, type=_count(1, KEEP_RUNS_MAX))
    values = _parse(parser, argv)
    _exclusive(values, "api_key_secret", "api_key_env", required=values.api_url is not None)
    if values.lose_history and not values.full_rebuild:
        raise UsageError("--lose-history belongs to --full-rebuild")
    return CurateArguments(**vars(values))


def load_arguments(argv: Sequence[str]) -> LoadArguments:
    """:param argv: without the program's name. :raises UsageError: what is missing or wrong."""
    parser = _parser("load_warehouse")
    parser.add_argument("--target", required=True, choices=("postgres", "redshift", "snowflake"))
    parser.add_argument("--schema", default="accounts", type=_name)
    parser.add_argument("--jdbc-url", type=_matching(_JDBC, "jdbc:postgresql://host:5432/database, without credentials"))
    parser.add_argument("--user", type=_text)
    parser.add_argument("--password-env", type=_variable)
    parser.add_argument("--secret-id", type=_text)
    parser.add_argument("--ssl-root-cert", type=_matching(_FILE, "rds-ca.pem"))
    for option in ("--redshift-workgroup", "--redshift-cluster", "--redshift-database", "--iam-role", "--stage"):
        parser.add_argument(option, type=_text)
    parser.add_argument("--run-id", type=_matching(_RUN_ID, "20261123t020000z-01kaq3c9"))
    for switch in ("--allow-older", "--reload"):
        parser.add_argument(switch, nargs="?", const=True, default=False, type=_switch)
    values = _parse(parser, argv)
    _require_target(values)
    return LoadArguments(**vars(values))


def _require_target(values: argparse.Namespace) -> None:
    """What each target cannot do without."""
    if values.target == "postgres":
        if values.jdbc_url is None and values.secret_id is None:
            raise UsageError("--jdbc-url is required with --target postgres, unless --secret-id knows where the database is")
        _exclusive(values, "password_env", "secret_id", required=True)
        if values.user is None and values.secret_id is None:
            raise UsageError("--user is required without --secret-id")
    elif values.target == "redshift":
        _exclusive(values, "redshift_workgroup", "redshift_cluster", required=True)
        missing = [name for name in ("redshift_database", "iam_role") if getattr(values, name) is None]
        if missing:
            raise UsageError(f"required with --target redshift: {', '.join('--' + each.replace('_', '-') for each in missing)}")
    elif values.stage is None:
        raise UsageError("--stage is required with --target snowflake")


def unload_arguments(argv: Sequence[str]) -> UnloadArguments:
    """:param argv: without the program's name. :raises UsageError: what is missing or wrong."""
    parser = _parser("unload_snapshot")
    parser.add_argument("--plan", required=True, type=_s3_address)
    parser.add_argument("--password-env", type=_variable)
    parser.add_argument("--secret-id", type=_text)
    parser.add_argument("--ssl-root-cert", type=_matching(_FILE, "rds-ca.pem"))
    parser.add_argument("--pseudonym-key-env", type=_variable)
    parser.add_argument("--pseudonym-key-secret", type=_text)
    values = _parse(parser, argv)
    _exclusive(values, "password_env", "secret_id", required=True)
    _exclusive(values, "pseudonym_key_env", "pseudonym_key_secret", required=True)
    return UnloadArguments(**vars(values))
