"""A committed curated run as a warehouse takes it: plain data, the same for every warehouse."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_RUN_ID = re.compile(r"\d{8}t\d{6}z-[0-9a-hjkmnp-tv-z]{8}")


@dataclass(frozen=True)
class WarehouseColumn:
    """A column; ``athena_type`` as in the run's manifest, the comment as analysts read it."""

    name: str
    athena_type: str
    comment: str
    nullable: bool


@dataclass(frozen=True)
class WarehouseFile:
    """A Parquet file of the run, by its key in the lake's bucket."""

    key: str
    bytes: int
    rows: int


@dataclass(frozen=True)
class WarehouseTable:
    """A table of the run: ``keys`` are unique and never NULL, ``rows`` is what the manifest says, ``sort_by`` the order in the files."""

    name: str
    description: str
    keys: tuple[str, ...]
    sort_by: tuple[str, ...]
    columns: tuple[WarehouseColumn, ...]
    rows: int
    files: tuple[WarehouseFile, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, in the order of the files."""
        return tuple(each.name for each in self.columns)

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that are not of the key."""
        return tuple(name for name in self.names if name not in self.keys)


@dataclass(frozen=True)
class WarehouseRun:
    """A run with all of its tables. ``created_at`` (UTC, aware) orders runs; ``mode`` is ``incremental`` or ``full``."""

    run_id: str
    created_at: datetime
    mode: str
    tables: tuple[WarehouseTable, ...]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


@dataclass(frozen=True)
class LoadedRun:
    """What a warehouse holds: the last line of its ``warehouse_loads``. ``created_at`` is the run's, UTC."""

    run_id: str
    created_at: datetime


@dataclass(frozen=True)
class TableChange:
    """What a load did to a table; ``rows`` are there now. None where the warehouse does not say."""

    rows: int
    inserted: int | None = None
    updated: int | None = None
    deleted: int | None = None


def quoted(name: str) -> str:
    """A name as an identifier, in double quotes.

    :raises ValueError: not a plain name of small letters, digits and underscores. So no name needs escaping, anywhere.
    """
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is not a plain name: small letters, digits, underscores, at most 63 characters")
    return f'"{name}"'


def qualified(schema: str, name: str) -> str:
    """``"schema"."name"``."""
    return f"{quoted(schema)}.{quoted(name)}"


def literal(text: str) -> str:
    """A text as a literal of standard SQL, for statements that take no parameters.

    :raises ValueError: a character that warehouses read differently (backslash, control characters).
    """
    if re.search(r"[\\\x00-\x1f\x7f]", text):
        raise ValueError("a literal takes no backslash and no control character")
    return "'" + text.replace("'", "''") + "'"


def run_id_literal(run_id: str) -> str:
    """:raises ValueError: not the id of a run."""
    if _RUN_ID.fullmatch(run_id) is None:
        raise ValueError(f"{run_id!r} is not the id of a run")
    return literal(run_id)


def staging_name(table: str, run_id: str, attempt: str) -> str:
    """The staging table of one attempt to load one run: a task of an attempt that died never writes into another one's table.

    :param attempt: six hexadecimal digits.
    """
    name = f"{table}__{run_id.replace('-', '_')}_{attempt}"
    quoted(name)
    return name
