"""The types of the lake in each warehouse, as data.

The lake's instants are UTC with microseconds, its texts UTF-8 of any length, its ids and pseudonyms text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

POSTGRES: Mapping[str, str] = {
    "string": "text",
    "timestamp": "timestamp with time zone",
    "date": "date",
    "int": "integer",
    "bigint": "bigint",
    "boolean": "boolean",
    "double": "double precision",
}
"""As ``format_type`` of Postgres spells them: what is there is compared with these."""

REDSHIFT: Mapping[str, str] = {
    "string": "VARCHAR",
    # COPY of Parquet takes no TIMESTAMPTZ: UTC without a zone.
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "double": "DOUBLE PRECISION",
}

SNOWFLAKE: Mapping[str, str] = {
    "string": "VARCHAR",
    # UTC without a zone: what a session shows does not depend on its TIMEZONE.
    "timestamp": "TIMESTAMP_NTZ(6)",
    "date": "DATE",
    "int": "NUMBER(10,0)",
    "bigint": "NUMBER(19,0)",
    "boolean": "BOOLEAN",
    "double": "DOUBLE",
}

REDSHIFT_TEXT_BYTES: Mapping[str, int] = {
    **dict.fromkeys(("player_ref", "entry_id", "game_id", "studio_id"), 36),
    **dict.fromkeys(("country", "language", "birth_year"), 64),
    **dict.fromkeys(("status", "platform", "source", "revoke_reason", "release_precision"), 64),
    **dict.fromkeys(("website", "genres"), 16384),
}
"""Redshift's VARCHAR is counted in bytes and takes memory by its length in every query; COPY fails on a text that is longer."""
REDSHIFT_OTHER_TEXT_BYTES = 1024

_DECIMAL = re.compile(r"decimal\((\d{1,2}),(\d{1,2})\)")


def _type(types: Mapping[str, str], athena_type: str) -> str:
    found = types.get(athena_type)
    if found is not None:
        return found
    decimal = _DECIMAL.fullmatch(athena_type)
    if decimal is None:
        raise ValueError(f"{athena_type} has no type in the warehouses: {', '.join(types)}, decimal(p,s)")
    return f"numeric({decimal[1]},{decimal[2]})"


def postgres_type(athena_type: str) -> str:
    """:raises ValueError: no curated table has such a type."""
    return _type(POSTGRES, athena_type)


def redshift_type(column: str, athena_type: str) -> str:
    """:raises ValueError: no curated table has such a type."""
    if athena_type == "string":
        return f"VARCHAR({REDSHIFT_TEXT_BYTES.get(column, REDSHIFT_OTHER_TEXT_BYTES)})"
    return _type(REDSHIFT, athena_type).replace("numeric", "DECIMAL")


def snowflake_type(athena_type: str) -> str:
    """:raises ValueError: no curated table has such a type."""
    return _type(SNOWFLAKE, athena_type).replace("numeric", "NUMBER")
