"""The columns of the curated tables: names, types and what they say to analysts. Data alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DateType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

SPARK_TYPES: dict[str, DataType] = {
    "string": StringType(),
    "boolean": BooleanType(),
    "int": IntegerType(),
    "bigint": LongType(),
    "date": DateType(),
    "timestamp": TimestampType(),
}


@dataclass(frozen=True)
class CuratedColumn:
    """`personal`: of class personal in the contract; NULL in every row of an erased person. Instants are UTC."""

    name: str
    spark_type: DataType
    athena_type: str
    comment: str
    nullable: bool = True
    personal: bool = False


Columns = tuple[CuratedColumn, ...]


def _column(name: str, athena_type: str, comment: str) -> CuratedColumn:
    return CuratedColumn(name, SPARK_TYPES[athena_type], athena_type, comment)


def _always(name: str, athena_type: str, comment: str) -> CuratedColumn:
    return CuratedColumn(name, SPARK_TYPES[athena_type], athena_type, comment, nullable=False)


def _personal(name: str, athena_type: str, comment: str) -> CuratedColumn:
    return CuratedColumn(name, SPARK_TYPES[athena_type], athena_type, f"{comment}; NULL once erased", personal=True)


PLAYER_REF = "The player: the same value in every table, and nothing else about the person"

HISTORY: Columns = (
    _always("is_deleted", "boolean", "The row was not in the snapshot: its attributes are NULL"),
    _always("valid_from", "timestamp", "Instant of the first snapshot that shows this version, UTC"),
    _column("valid_to", "timestamp", "Instant of the first snapshot that shows another version, UTC; NULL: this is the last one"),
    _always("is_current", "boolean", "This is the last version: one row a key, also where is_deleted"),
)

PLAYER_KEY = _always("player_ref", "string", PLAYER_REF)
PLAYER: Columns = (
    _personal("email_verified", "boolean", "Whether the e-mail address has been verified"),
    _personal("birth_year", "string", "Year of birth; under_18 for minors"),
    _personal("country", "string", "Country of residence, ISO 3166-1 alpha-2"),
    _personal("language", "string", "Language of the account, ISO 639"),
    _column("status", "string", "Whether the account is in use: active, closed, erasure_pending, erased"),
    _column("closed_at", "timestamp", "When the account was closed, UTC"),
    _column("erased_at", "timestamp", "When the personal data was erased, UTC"),
    _column("created_at", "timestamp", "When the account was made, UTC"),
)

STUDIO_KEY = _always("studio_id", "string", "The studio")
STUDIO: Columns = (
    _column("slug", "string", "Name in addresses, unique"),
    _column("name", "string", "Name as it is shown"),
    _column("country", "string", "Country of the company, ISO 3166-1 alpha-2"),
    _column("website", "string", "Web address"),
    _column("status", "string", "Where the partnership stands: prospect, in_review, active, suspended, rejected, closed"),
    _column("status_changed_at", "timestamp", "When the status last changed, UTC"),
    _column("external_ref", "string", "Id of the studio in the system that it was imported from"),
    _column("created_at", "timestamp", "When the studio was made, UTC"),
)

GAME_KEY = _always("game_id", "string", "The game")
GAME: Columns = (
    _column("studio_id", "string", "The studio that makes the game"),
    _column("slug", "string", "Name in addresses, unique"),
    _column("title", "string", "Title as it is shown"),
    _column("genres", "string", "Genres as a JSON array of texts"),
    _column("min_age", "int", "Lowest age the game is rated for, in years"),
    _column("release_date", "date", "Day of release; the last day of its month, quarter or year where release_precision says so"),
    _column("release_precision", "string", "How exact release_date is: day, month, quarter, year; tba: none is known"),
    _column("status", "string", "Where the game stands, from draft to retired"),
    _column("status_changed_at", "timestamp", "When the status last changed, UTC"),
    _column("external_ref", "string", "Id of the game in the system that it was imported from"),
    _column("created_at", "timestamp", "When the game was made, UTC"),
)

ENTRY_KEY = _always("entry_id", "string", "The library entry: one player, game and platform")
ENTRY: Columns = (
    _column("player_ref", "string", PLAYER_REF),
    _column("game_id", "string", "The game"),
    _column("platform", "string", "The platform it is owned on"),
    _column("playtime_seconds", "bigint", "Time played in total, in seconds"),
    _column("first_played_at", "timestamp", "When it was first played, UTC"),
    _column("last_played_at", "timestamp", "When it was last played, UTC"),
)

DIM_PLAYER: Columns = (PLAYER_KEY, *PLAYER, *HISTORY)
DIM_STUDIO: Columns = (STUDIO_KEY, *STUDIO, *HISTORY)
DIM_GAME: Columns = (GAME_KEY, *GAME, *HISTORY)
LIBRARY_HISTORY: Columns = (ENTRY_KEY, *ENTRY, *HISTORY)

FACT_LIBRARY: Columns = (
    PLAYER_KEY,
    GAME_KEY,
    _always("platform", "string", "The platform it is owned on"),
    _column("studio_id", "string", "The studio that makes the game now"),
    _column("source", "string", "How the player got it: purchase, key, gift, bundle, subscription, free and so on"),
    _column("acquired_at", "timestamp", "When the player got it, UTC"),
    _column("expires_at", "timestamp", "When the right to play ends, UTC; NULL: never"),
    _column("revoked_at", "timestamp", "When it was taken back, UTC; NULL: it was not"),
    _column("revoke_reason", "string", "Why it was taken back: refund, chargeback, fraud, mistake, expired_grant or other"),
    _always("is_owned", "boolean", "Neither taken back nor expired at as_of"),
    _column("playtime_seconds", "bigint", "Time played in total, in seconds"),
    _column("first_played_at", "timestamp", "When it was first played, UTC"),
    _column("last_played_at", "timestamp", "When it was last played, UTC"),
    _always("as_of", "timestamp", "The instant that the row shows: that of the newest snapshot, UTC"),
)

FACT_DAILY_ACTIVITY: Columns = (
    _always("activity_date", "date", "UTC day of the last play where that lies between the two snapshots, else of the later snapshot"),
    PLAYER_KEY,
    GAME_KEY,
    _always("platform", "string", "The platform it was played on"),
    _column("studio_id", "string", "The studio that made the game at observed_to"),
    _always("seconds_played", "bigint", "Time played, in seconds: above 0"),
    _always("observed_from", "timestamp", "Snapshot before the play, UTC; of several the earliest"),
    _always("observed_to", "timestamp", "Snapshot that first shows the play, UTC; of several the latest"),
)

_SUPPRESSED = "NULL where fewer players than the smallest cell (10 by default), other than none, are behind it"

AGG_REGISTRATIONS_DAILY: Columns = (
    _always("registration_date", "date", "UTC day on which the accounts were made"),
    _always("country", "string", "Country of residence as last seen, ISO 3166-1 alpha-2; ZZ: not known, or erased"),
    _column("registrations", "bigint", f"Players registered; {_SUPPRESSED}"),
    _column("email_verified", "bigint", f"Of these, players with a verified e-mail address; {_SUPPRESSED}"),
    _column("still_active", "bigint", f"Of these, players whose account is active in the newest snapshot; {_SUPPRESSED}"),
    _always("is_suppressed", "boolean", "A measure of this row is not shown"),
)

AGG_STUDIO_DAILY: Columns = (
    _always("activity_date", "date", "UTC day"),
    STUDIO_KEY,
    _column("active_players", "bigint", f"Players who played; {_SUPPRESSED}, and on days before the first snapshot"),
    _column("seconds_played", "bigint", f"Time played, in seconds; {_SUPPRESSED}, and on days before the first snapshot"),
    _column("new_entries", "bigint", f"Library entries acquired that day, of those in the newest snapshot; {_SUPPRESSED}"),
    _column("new_owners", "bigint", f"Players whose first game of the studio was acquired that day; {_SUPPRESSED}"),
    _always("is_suppressed", "boolean", "A measure of this row is not shown because of the smallest cell"),
)


def names(columns: Columns) -> list[str]:
    return [column.name for column in columns]


def spark_schema(columns: Columns) -> StructType:
    """The schema to read the table's files with. Everything may be NULL to Spark: a file's own word decides."""
    return StructType([StructField(column.name, column.spark_type, True) for column in columns])


def instant(value: datetime | None) -> Column:
    """A literal. `value` is aware; None is a NULL timestamp."""
    return F.lit(value).cast("timestamp")


def select_columns(frame: DataFrame, columns: Columns) -> DataFrame:
    """The select that is a table's schema: its columns, in order, of its types."""

    def typed(column: CuratedColumn) -> Column:
        return F.col(column.name).cast(column.spark_type).alias(column.name)

    return frame.select(*[typed(column) for column in columns])
