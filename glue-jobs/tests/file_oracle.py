"""The service's own reader of Parquet files, and its column sums: one Node process that answers line by line."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rocketgames_glue.contract import spark_type
from rocketgames_glue.unload.plan import PlanColumn

ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = ROOT / "test/glue-jobs/file-oracle.ts"


class OracleRefusal(AssertionError):
    """The service would refuse the file; the text says why."""


class FileOracle:
    """See the functions."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._asked = 0

    def _ask(self, **request: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._asked += 1
        self._process.stdin.write(json.dumps({"id": self._asked, **request}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise OracleRefusal(answer["error"])
        return answer["result"]

    def sum(self, values: Sequence[dict[str, Any] | None]) -> str:
        """Column sum of ``{"word": …}``, ``{"long": "…"}``, ``{"bytes": hex}`` and None."""
        return self._ask(sum=list(values))

    def verify(self, path: Path, tail_bytes: int, columns: Sequence[PlanColumn]) -> dict[str, Any]:
        """Opens the footer as the service does before its commit, and reads every value as ``verify --deep`` does.

        :raises OracleRefusal: the footer differs from the contract, or a page cannot be read.
        """
        shown = [
            {
                "name": each.name,
                "pgType": each.pg_type,
                "athenaType": athena_type(each),
                "action": each.action,
                "nullable": each.nullable,
            }
            for each in columns
        ]
        return self._ask(verify={"path": str(path), "tailBytes": tail_bytes, "columns": shown})


def athena_type(column: PlanColumn) -> str:
    """As the contract pairs them."""
    if column.decimal is not None:
        return f"decimal({column.decimal[0]},{column.decimal[1]})"
    found = {"timestamptz(3)": "timestamp", "smallint": "int", "integer": "int"}.get(column.pg_type, column.pg_type)
    text = found if found in ("timestamp", "date", "int", "bigint", "boolean") else "string"
    assert spark_type(text) is not None
    return text


@contextmanager
def file_oracle() -> Iterator[FileOracle]:
    """Starts the process, and ends it by the end of its input."""
    path = f"{ROOT / 'node_modules/.bin'}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        ["node", str(_PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PATH": path}
    )
    try:
        yield FileOracle(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=20)
