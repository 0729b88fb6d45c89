"""Clients of AWS, the same on Glue and on a laptop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

_CONNECT_SECONDS = 5
_READ_SECONDS = 60
_TRIES = 8
_CONNECTIONS = 32
_CONDITION: ContextVar[Mapping[str, str]] = ContextVar("condition", default={})


@cache
def aws_client(service: str, region: str, endpoint_url: str | None = None, tries: int = _TRIES) -> Any:
    """A client with bounded times and botocore's standard retries (throttling, SlowDown, 5xx, broken connections; full jitter).

    One for each place in a process: making one costs tenths of a second, and threads may share it. Credentials come by the usual AWS
    chain. With ``endpoint_url`` buckets are named in the path, as local endpoints want it.
    """
    config = Config(
        retries={"mode": "standard", "total_max_attempts": tries},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        max_pool_connections=_CONNECTIONS,
        s3={"addressing_style": "path"} if endpoint_url else {},
    )
    client = boto3.session.Session().client(service, region_name=region, endpoint_url=endpoint_url, config=config)
    if service == "s3":
        client.meta.events.register("before-call.s3.PutObject", _add_condition)
    return client


def _add_condition(params: dict[str, Any], **_: Any) -> None:
    params["headers"].update(_CONDITION.get())


@contextmanager
def write_condition(header: str, value: str) -> Iterator[None]:
    """Objects that this thread writes within the block, by a client of ``aws_client``, are written under a condition.

    As a header, because boto3 of AWS Glue 5 knows S3's conditional reads, and not yet its conditional writes.
    """
    token = _CONDITION.set({header: value})
    try:
        yield
    finally:
        _CONDITION.reset(token)


def error_code(error: Exception) -> str:
    """The code of a ``ClientError`` (``NoSuchKey``, ``EntityNotFoundException``); empty for everything else."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def error_status(error: Exception) -> int:
    """The HTTP status of a ``ClientError``; 0 for everything else."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return 0
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
