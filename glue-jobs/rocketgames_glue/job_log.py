"""The job's log: one JSON object a line on standard error, which AWS Glue sends to CloudWatch and the command shows readably."""

from __future__ import annotations

import json
import math
import re
import sys
import threading
from collections.abc import Mapping
from datetime import date, datetime, timezone
from pathlib import PurePath
from typing import Any

_LINE = threading.Lock()
_BOUND: dict[str, Any] = {}
"""Facts of every line: the run on Glue."""
_TEXT_CHARACTERS = 2_000
_SECRET = re.compile(
    r"passw|passphrase|pwd|secret(?!_id$)|token|credential|signature|authori[sz]ation|cookie"
    r"|(pseudonym|api|private|access)_?key(?!_(env|version)$)",
    re.IGNORECASE,
)
_CREDENTIALS = re.compile(
    r"(://)[^/\s@]*(?::\S*)?@"  # Greedy after the colon: a password may hold what ends a host.
    r"|(\b(?:\w*passw(?:or)?d|pwd|user|\w*token|\w*secret|X-Amz-(?:Signature|Credential|Security-Token))\s*=\s*)"
    r"(?:'[^']*'|\"[^\"]*\"|[^&;,\s]*)"
    r"|(\b(?:Bearer|Basic)\s+)[\w.~+/=-]+",
    re.IGNORECASE,
)


def bind(**facts: Any) -> None:
    """Adds facts to all lines that follow: the name and the run of the job."""
    _BOUND.update(facts)


def log(event: str, **facts: Any) -> None:
    """Writes one line: what happened (kebab-case) and its facts, counts and keys and names; never secrets, never values of rows.

    A fact whose name says that it is a secret is a mistake of the caller and is not shown; a text is cut at 2,000 characters.
    """
    line = {"time": _now(), "event": event, **_BOUND, **{name: _shown(name, value) for name, value in facts.items()}}
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    with _LINE:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def _now() -> str:
    return _instant(datetime.now(timezone.utc))


def _instant(value: datetime) -> str:
    return value.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(name: str, value: Any) -> Any:
    return "(not shown)" if _SECRET.search(name) else _plain(value)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, Mapping):
        return {str(key): _shown(str(key), each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in value]
    text = value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, (str, PurePath)) else repr(value)
    shown = _CREDENTIALS.sub(lambda found: f"{found[1] or found[2] or found[3]}…{'@' if found[1] else ''}", text)
    return shown if len(shown) <= _TEXT_CHARACTERS else shown[:_TEXT_CHARACTERS] + "…"
