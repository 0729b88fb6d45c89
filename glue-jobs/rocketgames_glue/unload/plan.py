"""The plan of an unload: what the service wants read, and into which uploads. It wrote the plan; here it is read and looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rocketgames_glue.job_error import JobError

PLAN_VERSION = 1
LEAST_PART_BYTES = 5 * 1024 * 1024
"""S3 takes no smaller part, the last one excepted."""
_CODECS = ("zstd", "snappy", "gzip")
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")
_SIMPLE = ("uuid", "text", "enum", "jsonb", "timestamptz(3)", "date", "smallint", "integer", "bigint", "boolean")
_LONG_DIGITS = 18
"""More digits than this do not fit into 64 bits."""
_MOST_DIGITS = 38


@dataclass(frozen=True)
class PlanColumn:
    """A column of a lake table. ``source`` is its column in Postgres; the other members are those of the contract."""

    name: str
    source: str
    pg_type: str
    action: str
    nullable: bool
    on_unrepresentable: str
    stats: bool

    @property
    def is_pseudonym(self) -> bool:
        return self.action == "pseudonymise"

    @property
    def decimal(self) -> tuple[int, int] | None:
        """Precision and scale of a numeric."""
        found = _NUMERIC.fullmatch(self.pg_type)
        return (int(found[1]), int(found[2])) if found else None

    @property
    def is_wide(self) -> bool:
        """A decimal of more digits than 64 bits hold."""
        return self.decimal is not None and self.decimal[0] > _LONG_DIGITS


@dataclass(frozen=True)
class KeyColumn:
    """A column of the primary key: its name in Postgres, and the field of a row that holds it."""

    name: str
    field: int


@dataclass(frozen=True)
class PlanRange:
    """A condition on the table's rows, and the upload that becomes their file. ``number`` is unique in the table."""

    condition: str
    number: int
    key: str
    upload_id: str
    estimated_rows: float


@dataclass(frozen=True)
class PlanTable:
    """A lake table: ``name`` in the lake, ``table`` in Postgres; ``select`` gives the columns and then what these lack of the key."""

    name: str
    table: str
    fingerprint: str
    contract_version: int
    select: str
    columns: tuple[PlanColumn, ...]
    key: tuple[KeyColumn, ...]
    ranges: tuple[PlanRange, ...]
    min_key_column: str | None


@dataclass(frozen=True)
class Encoding:
    """How every file is written. Sizes in bytes; ``row_group_bytes`` before compression."""

    codec: str
    row_group_rows: int
    row_group_bytes: int
    part_bytes: int
    most_parts: int
    created_by: str


@dataclass(frozen=True)
class Source:
    """Where the rows are: no credentials but the user's name. ``session_init`` imports the exported snapshot, ``visible`` is what it sees."""

    url: str
    user: str
    session_init: str
    visible: str


@dataclass(frozen=True)
class UnloadPlan:
    """Everything that the job does, but for the secrets."""

    snapshot_id: str
    bucket: str
    report_key: str
    source: Source
    encoding: Encoding
    taken_at: str
    wal_lsn: str
    pseudonym_key_version: int
    tables: tuple[PlanTable, ...]

    def metadata(self, table: PlanTable, part: int) -> dict[str, str]:
        """Key-value metadata of a file's footer."""
        return {
            "rocketgames.snapshot_id": self.snapshot_id,
            "rocketgames.table": table.name,
            "rocketgames.contract_version": str(table.contract_version),
            "rocketgames.fingerprint": table.fingerprint,
            "rocketgames.taken_at": self.taken_at,
            "rocketgames.wal_lsn": self.wal_lsn,
            "rocketgames.part": str(part),
            "rocketgames.pseudonym_key_version": str(self.pseudonym_key_version),
        }


def read_plan(content: bytes, key: str) -> UnloadPlan:
    """:param key: of the plan's object, for errors. :raises JobError: ``plan-invalid`` when it is none that this job can do."""
    try:
        return _plan(json.loads(content))
    except JobError as error:
        raise JobError(error.code, f"{key}: {error.message}", key=key) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"{type(error).__name__} {error}"
        raise JobError("plan-invalid", f"{key} is no plan of an unload ({what}): the service writes it anew with each run", key=key) from None


def _plan(given: Mapping[str, Any]) -> UnloadPlan:
    if given["plan_version"] != PLAN_VERSION:
        raise JobError(
            "plan-invalid",
            f"its plan_version is {given['plan_version']}, this job knows {PLAN_VERSION}: deploy job and service of the same release",
        )
    jdbc = given["jdbc"]
    tables = tuple(_table(each) for each in given["tables"])
    if len({table.name for table in tables}) < len(tables):
        raise JobError("plan-invalid", "it names a table twice")
    return UnloadPlan(
        snapshot_id=given["snapshot_id"],
        bucket=given["bucket"],
        report_key=given["report"],
        source=Source(jdbc["url"], jdbc["user"], jdbc["session_init"], jdbc["visible"]),
        encoding=_encoding(given),
        taken_at=given["taken_at"],
        wal_lsn=given["wal_lsn"],
        pseudonym_key_version=given["pseudonym_key_version"],
        tables=tables,
    )


def _encoding(given: Mapping[str, Any]) -> Encoding:
    encoding = Encoding(
        codec=given["codec"],
        row_group_rows=given["row_group_rows"],
        row_group_bytes=given["row_group_bytes"],
        part_bytes=given["part_bytes"],
        most_parts=given["most_parts"],
        created_by=given["created_by"],
    )
    if encoding.codec not in _CODECS:
        raise JobError("plan-invalid", f"its codec is {encoding.codec}; this job knows {', '.join(_CODECS)}")
    if encoding.row_group_rows < 1 or encoding.row_group_bytes < 1 or encoding.part_bytes < LEAST_PART_BYTES:
        raise JobError("plan-invalid", f"row groups need a row and a byte at least, parts {LEAST_PART_BYTES} bytes")
    return encoding


def _table(given: Mapping[str, Any]) -> PlanTable:
    columns = tuple(_column(given["name"], each) for each in given["columns"])
    ranges = tuple(
        PlanRange(each["range"], each["number"], each["key"], each["upload_id"], float(each.get("estimated_rows", 0))) for each in given["ranges"]
    )
    table = PlanTable(
        name=given["name"],
        table=given["table"],
        fingerprint=given["fingerprint"],
        contract_version=given["contract_version"],
        select=given["select"],
        columns=columns,
        key=tuple(KeyColumn(each["name"], each["field"]) for each in given["key"]),
        ranges=ranges,
        min_key_column=given.get("min_key_column"),
    )
    for what, values in (("column", [each.name for each in columns]), ("range", [each.number for each in ranges])):
        if not values or _has_twice(values):
            raise JobError("plan-invalid", f"{table.name} has no {what}, or one twice")
    return table


def _has_twice(values: Sequence[object]) -> bool:
    return len(set(values)) < len(values)


def _column(table: str, given: Mapping[str, Any]) -> PlanColumn:
    column = PlanColumn(
        name=given["name"],
        source=given["source"],
        pg_type=given["pg_type"],
        action=given["action"],
        nullable=given["nullable"],
        on_unrepresentable=given["on_unrepresentable"],
        stats=given["stats"],
    )
    known = column.pg_type in _SIMPLE if column.decimal is None else 1 <= column.decimal[0] <= _MOST_DIGITS
    if not known or (column.decimal is not None and column.decimal[1] > column.decimal[0]):
        raise JobError("plan-invalid", f"{table}.{column.name} is of type {column.pg_type}, which this job does not know")
    if column.is_pseudonym and column.pg_type != "uuid":
        raise JobError("plan-invalid", f"{table}.{column.name} is a pseudonym of a {column.pg_type}; only uuids have any")
    return column
