"""Daily numbers for everybody, without cells so small that they tell of single persons."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rocketgames_glue.transforms import columns as c
from rocketgames_glue.transforms.build import Build
from rocketgames_glue.transforms.settled import settled
from rocketgames_glue.transforms.timeline import Timeline

#: CLDR's and ISO's own mark for a country that is not known.
UNKNOWN_COUNTRY = "ZZ"


def agg_registrations_daily(build: Build) -> DataFrame:
    """Of all players that any snapshot has shown, as they were last seen: also those who are in no snapshot any more."""
    versions = build.curated("dim_player")
    gone = settled(versions.where("is_current AND is_deleted").select("player_ref", F.col("valid_from").alias("valid_to")))
    # Of a deleted player the version before the deletion, of all others the current one.
    last = versions.where("is_current AND NOT is_deleted")
    last = last.unionByName(versions.where("NOT is_current").join(gone, ["player_ref", "valid_to"], "left_semi"))
    measures = last.groupBy(
        F.to_date("created_at").alias("registration_date"),
        F.coalesce("country", F.lit(UNKNOWN_COUNTRY)).alias("country"),
    ).agg(
        F.count("*").alias("registrations"),
        F.count_if("email_verified").alias("email_verified"),
        F.count_if((F.col("status") == "active") & F.col("is_current")).alias("still_active"),
    )
    shown = {name: name for name in ("registrations", "email_verified", "still_active")}
    return c.select_columns(suppress_small_cells(measures, shown, build.small_cell), c.AGG_REGISTRATIONS_DAILY)


def agg_studio_daily(build: Build) -> DataFrame:
    """
    Activity by the studio that had the game then, acquisitions by the one that has it now. Days before the first snapshot have no
    activity to tell: NULL, not 0. What belongs to no known studio is left out.
    """
    active = (
        build.curated("fact_daily_activity")
        .groupBy("activity_date", "studio_id")
        .agg(F.count_distinct("player_ref").alias("active_players"), F.sum("seconds_played").alias("seconds_played"))
    )
    acquired = _acquired(build.curated("fact_library"))
    numbers = ["active_players", "seconds_played", "new_entries", "new_owners", "acquirers"]
    measures = (
        active.unionByName(acquired, allowMissingColumns=True)
        .where("studio_id IS NOT NULL")
        .groupBy("activity_date", "studio_id")
        .agg(*[F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in numbers])
    )
    first_day = F.lit(Timeline.of(build).instants[0].date())
    for name in ("active_players", "seconds_played"):
        measures = measures.withColumn(name, F.when(F.col("activity_date") >= first_day, F.col(name)))
    persons = {
        "active_players": "active_players",
        "seconds_played": "active_players",
        "new_entries": "acquirers",
        "new_owners": "new_owners",
    }
    return c.select_columns(suppress_small_cells(measures, persons, build.small_cell), c.AGG_STUDIO_DAILY)


def _acquired(library: DataFrame) -> DataFrame:
    """By day and studio: `new_entries`, the distinct `acquirers` behind them, and `new_owners`."""
    grain = ("activity_date", "studio_id")
    entries = library.select("studio_id", "player_ref", F.to_date("acquired_at").alias("activity_date"))
    # One shuffle serves the grouping and the window.
    entries = entries.repartition("studio_id", "player_ref")
    daily = entries.groupBy(*grain, "player_ref").agg(F.count("*").alias("entries"))
    owned = Window.partitionBy("studio_id", "player_ref")
    daily = daily.withColumn("is_first", F.col("activity_date") == F.min("activity_date").over(owned))
    return daily.groupBy(*grain).agg(
        F.sum("entries").alias("new_entries"),
        F.count_if("is_first").alias("new_owners"),
        F.count("*").alias("acquirers"),
    )


def suppress_small_cells(rows: DataFrame, persons: dict[str, str], small_cell: int) -> DataFrame:
    """
    A measure made of 1 to `small_cell` - 1 distinct players becomes NULL, and `is_suppressed` true; 0 stays 0.

    :param persons: for each measure the column that counts the distinct players behind it.
    """

    def is_small(measure: str) -> Column:
        count = F.col(persons[measure])
        return F.coalesce((count > 0) & (count < small_cell), F.lit(False))

    any_small = F.lit(False)
    for measure in persons:
        any_small = any_small | is_small(measure)
    others = [F.col(name) for name in rows.columns if name not in persons]
    shown = [F.when(~is_small(measure), F.col(measure)).alias(measure) for measure in persons]
    return rows.select(*others, *shown, any_small.alias("is_suppressed"))
