"""
Slowly changing dimensions, type 2: from what snapshots show of each key to versions with a beginning and an end.

Guarantee: the versions are a function of the set of snapshots. A run adds snapshots to the former table in any order and gives, row by
row, what a rebuild from all of them would. (One thing cannot be: what an erasure has taken out does not come back when a second snapshot
of the same instant comes to speak for it and shows none.) In the usual run, one snapshot later than all before it, a key that has not
changed costs one comparison.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from rocketgames_glue.transforms.build import Build, Snapshot
from rocketgames_glue.transforms.columns import Columns, CuratedColumn, instant
from rocketgames_glue.transforms.settled import settled
from rocketgames_glue.transforms.timeline import Timeline


@dataclass(frozen=True)
class Tracked:
    """
    What is tracked. A change of an attribute makes a version; NULL is a value, equal to NULL alone. `erased_status`: the value of
    `status` that takes the personal attributes out of the whole history. `owner`: the attribute naming the player whose erasure takes
    the row itself out.
    """

    table: str
    lake_table: str
    lake_key: str
    key: CuratedColumn
    attributes: Columns
    erased_status: str | None = None
    owner: str | None = None

    @property
    def lake_columns(self) -> tuple[str, ...]:
        return (self.lake_key, *(each.name for each in self.attributes))


def track_history(build: Build, tracked: Tracked) -> DataFrame:
    """:return: the key, the attributes, `is_deleted`, `valid_from`, `valid_to`, `is_current`."""
    timeline = Timeline.of(build)
    former = build.former(tracked.table)
    if former is not None and not timeline.new:
        return former
    erased = settled(_erased_players(build, tracked.owner)) if tracked.owner else None
    observed = [_observe(build, tracked, timeline, each, erased) for each in timeline.new]
    if former is None:
        return _weave(tracked, *observed)
    if timeline.is_in_order:
        return _advance(build, tracked, timeline, former, observed, erased)
    return _weave(tracked, _recall(former, tracked, timeline, erased), *observed)


def _erased_players(build: Build, owner: str) -> DataFrame:
    return build.curated("dim_player").where(F.col("status") == "erased").select(F.col("player_ref").alias(owner)).distinct()


def _erased_in(rows: DataFrame, tracked: Tracked, key: str) -> DataFrame:
    """The keys that `rows` shows as erased."""
    return rows.where(F.col("status") == tracked.erased_status).select(F.col(key).alias(tracked.key.name)).distinct()


def _state(tracked: Tracked) -> Column:
    return F.struct(*[F.col(each.name).cast(each.spark_type).alias(each.name) for each in tracked.attributes])


def _observe(
    build: Build, tracked: Tracked, timeline: Timeline, snapshot: Snapshot, erased: DataFrame | None
) -> DataFrame:
    """
    What a snapshot shows: the key, `at`, `state` (a struct of the attributes), and `gone_at`: the next instant, at which the key has
    been deleted unless something is observed of it by then.
    """
    rows = build.raw(tracked.lake_table, snapshot)
    if erased is not None:
        rows = rows.join(erased, tracked.owner, "left_anti")
    return rows.select(
        F.col(tracked.lake_key).alias(tracked.key.name),
        instant(snapshot.taken_at).alias("at"),
        instant(timeline.following(snapshot.taken_at)).alias("gone_at"),
        _state(tracked).alias("state"),
    )


def _recall(former: DataFrame, tracked: Tracked, timeline: Timeline, erased: DataFrame | None) -> DataFrame:
    """
    Former versions as observations like those of `_observe`: of each its beginning, and again each instant that follows a
    new snapshot while it lasts. No `state`: deleted. `gone_at` is the next new snapshot.
    """
    new = F.array(*[instant(each.taken_at) for each in timeline.new]).cast("array<timestamp>")
    again = F.array(*[instant(each) for each in timeline.reasserted]).cast("array<timestamp>")
    lasting = F.filter(
        again, lambda each: (each > F.col("valid_from")) & (F.col("valid_to").isNull() | (each < F.col("valid_to")))
    )
    # A new snapshot of the very same instant speaks in its place.
    own = F.filter(F.array("valid_from"), lambda each: ~F.array_contains(new, each))
    gone = F.col("is_deleted")
    if erased is not None:
        former = former.join(erased.withColumn("of_erased", F.lit(True)), tracked.owner, "left")
        gone = gone | F.col("of_erased").isNotNull()
    state = F.when(~gone, _state(tracked))
    recalled = former.select(tracked.key.name, F.explode(F.concat(own, lasting)).alias("at"), state.alias("state"))
    next_new = F.get(F.filter(new, lambda each: each > F.col("at")), F.lit(0))
    return recalled.select(tracked.key.name, "at", F.when(F.col("state").isNotNull(), next_new).alias("gone_at"), "state")


def _without_personal(tracked: Tracked, state: Column, is_erased: Column) -> Column:
    bare = [
        (F.lit(None).cast(each.spark_type) if each.personal else state[each.name]).alias(each.name)
        for each in tracked.attributes
    ]
    return F.when(state.isNotNull() & is_erased, F.struct(*bare)).otherwise(state)


def _weave(tracked: Tracked, *parts: DataFrame, goes_on: bool = False) -> DataFrame:
    """
    Versions from observations in any order, at most one per key and instant. One shuffle by key, one sort of it by instant.

    :param goes_on: earlier versions of the same keys stand elsewhere, so that a key may begin as deleted.
    """
    key = tracked.key.name
    observed = reduce(DataFrame.unionByName, parts)
    by_instant = Window.partitionBy(key).orderBy("at")
    if tracked.erased_status:
        whole = by_instant.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
        is_erased = F.coalesce(F.col("state.status") == tracked.erased_status, F.lit(False))
        observed = observed.withColumn("is_erased", F.max(is_erased).over(whole))
        observed = observed.withColumn("state", _without_personal(tracked, F.col("state"), F.col("is_erased")))
    neighbours = observed.select(
        key,
        "at",
        "gone_at",
        "state",
        F.lag("state").over(by_instant).alias("last_state"),
        F.lag("gone_at").over(by_instant).alias("last_gone_at"),
        F.lag(F.lit(False), 1, True).over(by_instant).alias("is_first"),
        F.lead("at").over(by_instant).alias("next_at"),
    )
    before = F.when(F.col("last_gone_at") < F.col("at"), F.lit(None)).otherwise(F.col("last_state"))
    # A deletion of what nobody has seen is no version.
    differs = ~F.col("state").eqNullSafe(before)
    begins = differs | F.col("is_first") if goes_on else differs
    changes = F.array(
        F.when(begins, F.struct(F.col("at").alias("valid_from"), "state")),
        F.when(
            F.col("gone_at").isNotNull() & (F.col("next_at").isNull() | (F.col("next_at") > F.col("gone_at"))),
            F.struct(F.col("gone_at").alias("valid_from"), F.when(F.lit(False), F.col("state")).alias("state")),
        ),
    )
    versions = neighbours.select(key, F.inline(F.array_compact(changes)))
    by_beginning = Window.partitionBy(key).orderBy("valid_from")
    return _versions(tracked, versions.withColumn("valid_to", F.lead("valid_from").over(by_beginning)))


def _versions(tracked: Tracked, versions: DataFrame) -> DataFrame:
    """From the key, `valid_from`, `valid_to` and `state` to columns."""
    return versions.select(
        tracked.key.name,
        *[F.col("state")[each.name].alias(each.name) for each in tracked.attributes],
        F.col("state").isNull().alias("is_deleted"),
        "valid_from",
        "valid_to",
        F.col("valid_to").isNull().alias("is_current"),
    )


def _advance(
    build: Build,
    tracked: Tracked,
    timeline: Timeline,
    former: DataFrame,
    observed: list[DataFrame],
    erased: DataFrame | None,
) -> DataFrame:
    """Snapshots later than all before them: closed versions pass, but those of the few keys that an erasure rewrites."""
    key = tracked.key.name
    rewritten = _rewritten(build, tracked, timeline, former)
    again: list[DataFrame] = []
    if rewritten is not None:
        again = [_recall(former.join(rewritten, key, "left_semi"), tracked, timeline, erased)]
        again += [each.join(rewritten, key, "left_semi") for each in observed]
        former = former.join(rewritten, key, "left_anti")
        observed = [each.join(rewritten, key, "left_anti") for each in observed]
    current = former.where("is_current")
    if len(observed) == 1:
        moved = _compare(tracked, current, observed[0], timeline.new[0])
    else:
        moved = _weave(tracked, _recall(current, tracked, timeline, erased), *observed, goes_on=True)
    usual = former.where("NOT is_current").select(*moved.columns).unionByName(moved)
    return usual.unionByName(_weave(tracked, *again)) if again else usual


def _rewritten(build: Build, tracked: Tracked, timeline: Timeline, former: DataFrame) -> DataFrame | None:
    """The few keys whose closed versions change as well, because a person has been erased. None: there are never any."""
    key = tracked.key.name
    if tracked.owner:
        new = [instant(each.taken_at) for each in timeline.new]
        newly = build.curated("dim_player").where((F.col("status") == "erased") & F.col("valid_from").isin(new))
        owners = settled(newly.select(F.col("player_ref").alias(tracked.owner)).distinct())
        return settled(former.join(owners, tracked.owner, "left_semi").select(key).distinct())
    if tracked.erased_status:
        now = [_erased_in(build.raw(tracked.lake_table, each), tracked, tracked.lake_key) for each in timeline.new]
        known = _erased_in(former.where("is_current"), tracked, key)
        # Erased once and shown otherwise since: only the closed versions remember.
        once = _erased_in(former.where("NOT is_current"), tracked, key)
        newly = reduce(DataFrame.unionByName, now).join(known, key, "left_anti")
        return settled(newly.unionByName(once).distinct())
    return None


def _compare(tracked: Tracked, current: DataFrame, observed: DataFrame, snapshot: Snapshot) -> DataFrame:
    """Current versions and what one later snapshot shows: one comparison a key."""
    key = tracked.key.name
    was = F.when(~F.col("is_deleted"), _state(tracked)).alias("was")
    pairs = current.select(key, F.col("valid_from").alias("since"), was).join(observed.select(key, "state"), key, "full_outer")
    if tracked.erased_status:
        statuses = (F.col("was.status"), F.col("state.status"))
        is_erased = reduce(Column.__or__, [F.coalesce(each == tracked.erased_status, F.lit(False)) for each in statuses])
        pairs = pairs.withColumn("state", _without_personal(tracked, F.col("state"), is_erased))
    now, never = instant(snapshot.taken_at), instant(None)

    def version(valid_from: Column, valid_to: Column, state: str) -> Column:
        return F.struct(valid_from.alias("valid_from"), valid_to.alias("valid_to"), F.col(state).alias("state"))

    since = F.col("since")
    versions = (
        F.when(since.isNull(), F.array(version(now, never, "state")))
        .when(F.col("was").eqNullSafe(F.col("state")), F.array(version(since, never, "was")))
        .otherwise(F.array(version(since, now, "was"), version(now, never, "state")))
    )
    return _versions(tracked, pairs.select(key, F.inline(versions)))
