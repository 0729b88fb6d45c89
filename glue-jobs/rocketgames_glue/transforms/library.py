"""Library entries: through time, as far as play goes, and as the newest snapshot shows them."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rocketgames_glue.transforms import columns as c
from rocketgames_glue.transforms.build import Build
from rocketgames_glue.transforms.history import Tracked, track_history
from rocketgames_glue.transforms.timeline import Timeline

ENTRIES = Tracked(
    table="library_history",
    lake_table="player_games",
    lake_key="id",
    key=c.ENTRY_KEY,
    attributes=c.ENTRY,
    owner="player_ref",
)
_DERIVED = ("studio_id", "is_owned", "as_of")
LIBRARY_COLUMNS = tuple(column.name for column in c.FACT_LIBRARY if column.name not in _DERIVED)


def library_history(build: Build) -> DataFrame:
    """All versions of all library entries; those of players who were ever erased are as though they had never been."""
    return c.select_columns(track_history(build, ENTRIES), c.LIBRARY_HISTORY)


def fact_library(build: Build) -> DataFrame:
    """
    The library as of the newest snapshot of all. Where that is one of a former run, the former table shows it already, and nothing
    that came in between can change it.
    """
    newest = Timeline.of(build).newest
    former = build.former("fact_library")
    if former is not None and newest not in build.new:
        return c.select_columns(former, c.FACT_LIBRARY)
    as_of = F.lit(newest.taken_at)
    games = build.curated("dim_game").where("is_current").select("game_id", "studio_id")
    entries = build.raw("player_games", newest).select(*LIBRARY_COLUMNS)
    is_owned = F.col("revoked_at").isNull() & (F.col("expires_at").isNull() | (F.col("expires_at") > as_of))
    library = entries.join(games, "game_id", "left").withColumn("is_owned", is_owned).withColumn("as_of", as_of)
    return c.select_columns(library, c.FACT_LIBRARY)
