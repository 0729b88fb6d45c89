"""Time played a day, from the differences between neighbouring snapshots."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rocketgames_glue.transforms import columns as c
from rocketgames_glue.transforms.build import Build
from rocketgames_glue.transforms.settled import settled
from rocketgames_glue.transforms.timeline import Timeline

_GRAIN = ("activity_date", "player_ref", "game_id", "platform")


def fact_daily_activity(build: Build) -> DataFrame:
    """
    Of each library entry the growth of its play time between two neighbouring snapshots, by the UTC day of the last play where that
    lies after the first and not after the second of them, else by the day of the second. An entry that the snapshot before does not
    have counts from 0 if it was first played after that snapshot, else not at all: its time may be years old. The first snapshot of
    all gives no activity; play time that falls is a correction and gives none either. An entry that another player has taken over is
    one that the snapshot before does not have.
    """
    timeline = Timeline.of(build)
    former = build.former("fact_daily_activity")
    if former is not None and not timeline.new:
        return c.select_columns(former, c.FACT_DAILY_ACTIVITY)
    if former is not None and timeline.is_in_order:
        return _extended(build, former, timeline)
    return _facts(build, _played(build.curated("library_history"), timeline))


def _extended(build: Build, former: DataFrame, timeline: Timeline) -> DataFrame:
    """Later snapshots alone: days before the last former instant stay as they are, but for players who have been erased since."""
    new = [c.instant(each.taken_at) for each in timeline.new]
    newly_erased = build.curated("dim_player").where((F.col("status") == "erased") & F.col("valid_from").isin(new))
    kept = former.join(settled(newly_erased.select("player_ref").distinct()), "player_ref", "left_anti")
    touched = build.curated("library_history").where(F.col("valid_from").isin(new) | F.col("valid_to").isin(new))
    played = _played(touched, timeline).where(F.col("observed_to").isin(new))
    open_day = F.lit(timeline.former[-1].date())
    # What the open days have so far is summed with the new; their studio is looked up again, for the later of the two instants.
    so_far = kept.where(F.col("activity_date") >= open_day).select(*played.columns)
    closed = kept.where(F.col("activity_date") < open_day)
    return c.select_columns(closed, c.FACT_DAILY_ACTIVITY).unionByName(_facts(build, played.unionByName(so_far)))


def _played(history: DataFrame, timeline: Timeline) -> DataFrame:
    """Growth by entry and interval: the grain, `seconds_played`, `observed_from`, `observed_to`."""
    instants = timeline.instants
    # One row per snapshot ever included: small by nature.
    intervals = history.sparkSession.createDataFrame(
        list(zip(instants, instants[1:], strict=False)), "observed_from timestamp, observed_to timestamp"
    )
    by_beginning = Window.partitionBy("entry_id").orderBy("valid_from")
    seconds = F.col("playtime_seconds")
    # Of another player it would be another entry; so it cannot matter whether that player has been erased since.
    is_same = F.lag("player_ref").over(by_beginning) == F.col("player_ref")
    before = F.when(is_same, F.lag(seconds).over(by_beginning))
    versions = history.withColumn("seconds_before", before).where("NOT is_deleted")
    versions = versions.join(F.broadcast(intervals), F.col("valid_from") == F.col("observed_to"))
    is_new = F.col("seconds_before").isNull() & (F.col("first_played_at") > F.col("observed_from"))
    grown = seconds - F.coalesce("seconds_before", F.when(is_new, F.lit(0)))
    return versions.select(
        _day().alias("activity_date"),
        "player_ref",
        "game_id",
        "platform",
        grown.alias("seconds_played"),
        "observed_from",
        "observed_to",
    ).where("seconds_played > 0")


def _day() -> Column:
    last = F.col("last_played_at")
    lies_within = (last > F.col("observed_from")) & (last <= F.col("observed_to"))
    return F.to_date(F.when(lies_within, last).otherwise(F.col("observed_to")))


def _facts(build: Build, played: DataFrame) -> DataFrame:
    days = played.groupBy(*_GRAIN).agg(
        F.sum("seconds_played").alias("seconds_played"),
        F.min("observed_from").alias("observed_from"),
        F.max("observed_to").alias("observed_to"),
    )
    games = build.curated("dim_game").select(F.col("game_id").alias("of_game"), "studio_id", "valid_from", "valid_to")
    observed_to = F.col("observed_to")
    as_of = (
        (F.col("game_id") == F.col("of_game"))
        & (F.col("valid_from") <= observed_to)
        & (F.col("valid_to").isNull() | (F.col("valid_to") > observed_to))
    )
    return c.select_columns(days.join(games, as_of, "left"), c.FACT_DAILY_ACTIVITY)
