"""A table with a column of every type that a lake table may have, as a plan, and its values as the job is sent them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from rocketgames_glue.unload.plan import Encoding, KeyColumn, PlanColumn, PlanRange, PlanTable
from rocketgames_glue.unload.selection import key_name

PSEUDONYM_KEY = "07" * 32
TYPES = {
    "id": "uuid",
    "ref": "uuid",
    "name": "text",
    "kind": "enum",
    "details": "jsonb",
    "created_at": "timestamptz(3)",
    "born": "date",
    "small": "smallint",
    "whole": "integer",
    "large": "bigint",
    "is_on": "boolean",
    "price": "numeric(9,2)",
    "amount": "numeric(18,4)",
    "wide": "numeric(38,10)",
    "broad": "numeric(20,0)",
}
_SENT = {"boolean": pa.bool_(), "smallint": pa.int32(), "integer": pa.int32(), "bigint": pa.int64()}


def columns(**changes: dict[str, Any]) -> tuple[PlanColumn, ...]:
    """All columns, nullable but for ``id``; ``ref`` is a pseudonym."""
    found = []
    for name, pg_type in TYPES.items():
        members = {
            "name": name,
            "source": name,
            "pg_type": pg_type,
            "action": "pseudonymise" if name == "ref" else "include",
            "nullable": name != "id",
            "on_unrepresentable": "fail",
            "stats": name != "ref",
        }
        found.append(PlanColumn(**{**members, **changes.get(name, {})}))
    return tuple(found)


def table(every: Sequence[PlanColumn], min_key_column: str | None = "id") -> PlanTable:
    return PlanTable(
        name="matrix",
        table="matrix_row",
        fingerprint="f" * 64,
        contract_version=1,
        select='SELECT * FROM "matrix_row"',
        columns=tuple(every),
        key=(KeyColumn("id", 0),),
        ranges=(PlanRange("true", 0, "key", "upload", 0),),
        min_key_column=min_key_column,
    )


def encoding(**changes: Any) -> Encoding:
    members = {
        "codec": "zstd",
        "row_group_rows": 262_144,
        "row_group_bytes": 64 << 20,
        "part_bytes": 5 << 20,
        "most_parts": 9000,
        "created_by": "rocketgames-accounts version 1.2.3 (build abc)",
    }
    return Encoding(**{**members, **changes})


def instant(microseconds_since_1970: int) -> bytes:
    return struct.pack(">q", microseconds_since_1970 - 946_684_800_000_000)


def day(days_since_1970: int) -> bytes:
    return struct.pack(">i", days_since_1970 - 10_957)


def batch(every: Sequence[PlanColumn], rows: Sequence[dict[str, Any]]) -> pa.RecordBatch:
    """Rows as the SELECT of the job gives them: absent members are NULL."""
    arrays, names = [], []
    for column in every:
        as_bytes = column.is_pseudonym or column.pg_type in ("timestamptz(3)", "date")
        kind = pa.binary() if as_bytes else _SENT.get(column.pg_type, pa.string())
        arrays.append(pa.array([row.get(column.name) for row in rows], kind))
        names.append(column.name)
    arrays.append(pa.array([str(row.get("id")) for row in rows], pa.string()))
    return pa.RecordBatch.from_arrays(arrays, names=[*names, key_name(0)])
