"""Holds of the service's API: they keep retention away from the snapshots that a job reads.

Without an API the 60 minutes between a snapshot's leaving the views and its files' removal protect a job that reads for less.
"""

from __future__ import annotations

import json
import os
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from rocketgames_glue.io.curated_runs import instant
from rocketgames_glue.job_error import JobError, UsageError
from rocketgames_glue.job_log import log

HOLDER = "glue curate"
_REASON = "The job that makes the curated tables reads it"
_TIMES = (timedelta(hours=6), timedelta(minutes=30))
"""How long a hold is asked for; the shorter one where the age of the snapshot does not allow the longer one."""
_CALL_SECONDS = 20
_TRIES = 5
_FIRST_WAIT_SECONDS = 0.3


@dataclass(frozen=True)
class HoldsApi:
    """``POST /v1/lake/snapshots/{id}/holds`` and ``DELETE …/holds/{holdId}`` of the service at ``url``."""

    url: str
    api_key: str

    def __repr__(self) -> str:
        return f"HoldsApi({self.url})"

    def hold(self, snapshot_id: str) -> str | None:
        """Takes a hold and returns its path; None when the API refuses one, because the snapshot is being retired or soon will be.

        :raises JobError: ``holds-failed`` when the API cannot be used.
        """
        path = f"/v1/lake/snapshots/{snapshot_id}/holds"
        for time_held in _TIMES:
            expires_at = instant(datetime.now(timezone.utc) + time_held)
            status, body = self._call("POST", path, {"holder": HOLDER, "reason": _REASON, "expiresAt": expires_at})
            if status == 201:
                return f"{path}/{json.loads(body)['id']}"
            if status not in (404, 409, 422):
                raise self._failed(f"answered {status} to a hold on snapshot {snapshot_id}", status)
            if status != 422:
                break
        log("hold-refused", snapshot_id=snapshot_id, status=status)
        if status == 404:
            raise self._failed(f"knows no snapshot {snapshot_id}: is it the service of this bucket?", status)
        return None

    def release(self, path: str) -> None:
        """Ends a hold. One that cannot be ended now ends by itself, so a failure is told in the log alone."""
        try:
            status, _ = self._call("DELETE", path, None)
            if status not in (204, 404):
                log("hold-not-released", hold=path, status=status)
        except JobError as error:
            log("hold-not-released", hold=path, reason=error.message)

    def _call(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        """A hold that is taken twice because an answer was lost ends by itself."""
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        why = ""
        for attempt in range(_TRIES):
            request = urllib.request.Request(self.url.rstrip("/") + path, data=content, headers=headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=_CALL_SECONDS) as answer:  # noqa: S310 - the arguments allow http(s) alone
                    return answer.status, answer.read()
            except urllib.error.HTTPError as error:
                if error.code != 429 and error.code < 500:
                    return error.code, error.read()
                why = f"answered {error.code}"
            except (OSError, ValueError) as error:
                why = f"cannot be reached: {error}"
            if attempt < _TRIES - 1:
                time.sleep(random.uniform(0.5, 1.0) * _FIRST_WAIT_SECONDS * 2**attempt)
        raise self._failed(why, None)

    def _failed(self, why: str, status: int | None) -> JobError:
        return JobError(
            "holds-failed",
            f"The API at {self.url} {why}. Nothing was written; correct --api-url or the key, which needs the scope lake:snapshot, "
            "or leave out --api-url where the job reads for less than 60 minutes",
            status=status,
        )


def holds_api(url: str | None, key_env: str | None, secret: Callable[[], str] | None) -> HoldsApi | None:
    """The API of the arguments; None without ``url``.

    :param secret: reads the key from Secrets Manager, where the arguments name a secret.
    """
    if url is None:
        return None
    key = secret() if secret is not None else os.environ.get(key_env or "", "")
    if not key.strip():
        raise UsageError(f"The API key is empty: set the environment variable {key_env}" if secret is None else "The secret of the API key is empty")
    return HoldsApi(url, key.strip())


@contextmanager
def held(api: HoldsApi | None, snapshot_ids: Sequence[str]) -> Iterator[frozenset[str]]:
    """Holds snapshots for as long as the block lasts; gives those that may be read. Without an API that is all of them."""
    if api is None:
        yield frozenset(snapshot_ids)
        return
    taken: dict[str, str] = {}
    try:
        for snapshot_id in snapshot_ids:
            path = api.hold(snapshot_id)
            if path is not None:
                taken[snapshot_id] = path
        yield frozenset(taken)
    finally:
        for path in taken.values():
            api.release(path)
