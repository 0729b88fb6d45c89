"""What the curated tables say about a few lives, told by hand: four snapshots."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from generated_lake import Lake, Row
from memory_build import RawRows, run_in_groups, small_plans
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from rocketgames_glue.transforms.build import Snapshot

UTC = timezone.utc
DAYS = [datetime(2026, 5, day, 2, 0, tzinfo=UTC) for day in (1, 2, 3, 6)]
SNAPSHOTS = [Snapshot(f"2026050{number}t020000z-00000000", number, day) for number, day in enumerate(DAYS, start=1)]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TIMES = [f"{day:%m-%d}" for day in DAYS]
#: A column that the contract had not yet when the first two snapshots were taken.
SINCE_THIRD = "genres"


def player(ref: str, **given: Any) -> Row:
    shown = {"email_verified": True, "birth_year": "1990", "country": "DE", "language": "de", "status": "active"}
    return {"player_ref": ref, **shown, "created_at": LONG_AGO, **given}


ERASED: Row = {"email_verified": False, "birth_year": None, "country": None, "language": None, "status": "erased"}


def entry(ref: str, seconds: int, last: datetime | None = None, first: datetime | None = LONG_AGO, **given: Any) -> Row:
    times = {"first_played_at": first, "last_played_at": last, "acquired_at": LONG_AGO}
    return {"id": ref, "player_ref": f"p-{ref}", "game_id": "game", "platform": "web", "playtime_seconds": seconds, **times, **given}


def at(day: int, hour: int, **more: int) -> datetime:
    return datetime(2026, 5, day, hour, tzinfo=UTC) + timedelta(**more)


#: One list of four for each key: what each snapshot shows of it; None: it is not there.
PLAYERS: list[list[Row | None]] = [
    [player("steady"), player("steady", version=9, updated_at=DAYS[1]), player("steady"), player("steady")],
    [None, player("back"), None, player("back", country="FR")],
    [player("gone", country="DE"), player("gone", country="FR"), player("gone", country="IT"), player("gone", **ERASED)],
    [player("nulls", country=None), player("nulls"), player("nulls", country="de"), player("nulls", country="")],
]
GAMES: list[list[Row | None]] = [
    [{"id": "game", "studio_id": studio, "title": "T", SINCE_THIRD: None if i < 2 else "[]"} for i, studio in enumerate("AABB")],
    [{"id": "late", "studio_id": "A", SINCE_THIRD: None} for _ in DAYS],
]
ENTRIES: list[list[Row | None]] = [
    # Played on both sides of midnight between two snapshots: the last play has it all.
    [entry("midnight", 100), entry("midnight", 400, at(1, 23)), None, None],
    # Known by its total alone, or by a last play outside the interval: the day of the later snapshot.
    [entry("unknown", 0), entry("unknown", 60), entry("unknown", 60), entry("unknown", 90, DAYS[2])],
    [None, entry("old", 5000, at(2, 1)), entry("old", 5000, at(2, 1)), entry("old", 5000, at(2, 1))],
    [None, entry("fresh", 50, at(1, 9), first=DAYS[0] + timedelta(milliseconds=1)), None, None],
    [None, entry("border", 50, at(1, 9), first=DAYS[0]), None, None],
    [entry("fixed", 900), entry("fixed", 800), entry("fixed", 850, at(3, 1)), entry("fixed", 850)],
    # On the third of May after one snapshot, and on the same day before the next.
    [entry("twice", 0), entry("twice", 0), entry("twice", 10, at(3, 1)), entry("twice", 30, at(3, 23))],
    [entry("left", 1000, player_ref="gone"), entry("left", 2000, at(1, 9), player_ref="gone")] * 2,
]


def shared() -> Lake:
    lake = Lake(list(SNAPSHOTS))
    # Eleven owners on one day, nine on another; of another studio ten.
    crowd = [entry(f"c{n}", 0, game_id="late", acquired_at=at(1 + n // 11, 5)) for n in range(20)]
    crowd += [entry(f"d{n}", 0, acquired_at=at(1, 5)) for n in range(10)]
    for number, snapshot in enumerate(SNAPSHOTS):
        kinds = {"players": PLAYERS, "games": GAMES, "player_games": [*ENTRIES, *[[each] * 4 for each in crowd]], "studios": []}
        lake.rows[snapshot.snapshot_id] = {table: [life[number] for life in lives if life[number]] for table, lives in kinds.items()}
    ten = [player(f"n{n}", country="AT", created_at=at(1, 0), email_verified=n > 0, status="closed") for n in range(10)]
    lake.rows[SNAPSHOTS[0].snapshot_id]["players"] += ten
    for each in SNAPSHOTS[1:]:
        lake.rows[each.snapshot_id]["players"] += ten
    return lake


@pytest.fixture(scope="module")
def tables(spark: SparkSession) -> dict[str, DataFrame]:
    with small_plans(spark):
        return run_in_groups(RawRows(spark, shared()), [SNAPSHOTS], small_cell=10)


def versions(frame: DataFrame, key: str, ref: str, *shown: str) -> list[tuple[Any, ...]]:
    def day(name: str) -> Any:
        return F.date_format(name, "MM-dd").alias(name)

    rows = frame.where(F.col(key) == ref).orderBy("valid_from")
    return [tuple(row) for row in rows.select(*shown, day("valid_from"), day("valid_to")).collect()]


def test_a_player_who_does_not_change_has_one_version_whatever_is_written(tables: dict[str, DataFrame]) -> None:
    assert versions(tables["dim_player"], "player_ref", "steady", "country") == [("DE", TIMES[0], None)]


def test_a_deletion_is_a_version_without_attributes_and_a_return_another(tables: dict[str, DataFrame]) -> None:
    assert versions(tables["dim_player"], "player_ref", "back", "country", "is_deleted") == [
        ("DE", False, TIMES[1], TIMES[2]),
        (None, True, TIMES[2], TIMES[3]),
        ("FR", False, TIMES[3], None),
    ]


def test_nothing_personal_of_an_erased_player_is_left_and_versions_that_differed_in_that_alone_are_one(
    tables: dict[str, DataFrame],
) -> None:
    assert versions(tables["dim_player"], "player_ref", "gone", "country", "birth_year", "email_verified", "status") == [
        (None, None, None, "active", TIMES[0], TIMES[3]),
        (None, None, None, "erased", TIMES[3], None),
    ]
    assert versions(tables["library_history"], "entry_id", "left", "player_ref") == []
    assert tables["fact_daily_activity"].where("player_ref = 'gone'").count() == 0


def test_null_the_empty_text_and_other_case_are_values_of_their_own(tables: dict[str, DataFrame]) -> None:
    countries = versions(tables["dim_player"], "player_ref", "nulls", "country")
    assert [each[0] for each in countries] == [None, "DE", "de", ""]


def test_a_column_that_joins_the_contract_makes_a_version_where_it_has_a_value(tables: dict[str, DataFrame]) -> None:
    assert versions(tables["dim_game"], "game_id", "game", SINCE_THIRD, "studio_id") == [
        (None, "A", TIMES[0], TIMES[2]),
        ("[]", "B", TIMES[2], None),
    ]
    assert versions(tables["dim_game"], "game_id", "late", SINCE_THIRD) == [(None, TIMES[0], None)]


@pytest.mark.parametrize(
    ("ref", "days"),
    [
        ("midnight", [(date(2026, 5, 1), 300, "A")]),
        ("unknown", [(date(2026, 5, 2), 60, "A"), (date(2026, 5, 6), 30, "B")]),
        ("old", []),
        ("fresh", [(date(2026, 5, 1), 50, "A")]),
        ("border", []),
        ("fixed", [(date(2026, 5, 3), 50, "B")]),
        ("twice", [(date(2026, 5, 3), 30, "B")]),
    ],
)
def test_play_is_told_by_day(tables: dict[str, DataFrame], ref: str, days: list[tuple[Any, ...]]) -> None:
    rows = tables["fact_daily_activity"].where(F.col("player_ref") == f"p-{ref}").orderBy("activity_date")
    assert [tuple(row) for row in rows.select("activity_date", "seconds_played", "studio_id").collect()] == days


def test_several_intervals_of_one_day_tell_the_first_and_the_last_instant(tables: dict[str, DataFrame]) -> None:
    (row,) = tables["fact_daily_activity"].where("player_ref = 'p-twice'").select(
        F.unix_millis("observed_from"), F.unix_millis("observed_to")
    ).collect()
    assert tuple(row) == (DAYS[1].timestamp() * 1000, DAYS[3].timestamp() * 1000)


def test_registrations_of_nine_are_not_shown_of_ten_are_and_none_is_none(tables: dict[str, DataFrame]) -> None:
    frame = tables["agg_registrations_daily"].where("country = 'AT'")
    shown = [tuple(row) for row in frame.select("registrations", "email_verified", "still_active", "is_suppressed").collect()]
    assert shown == [(10, None, 0, True)]
    # The erased player and the one without a country are one unknown country, and too few.
    unknown = tables["agg_registrations_daily"].where("country = 'ZZ'").collect()
    assert [(row["registrations"], row["is_suppressed"]) for row in unknown] == [(None, True)]


def test_a_studio_shows_what_enough_players_did_and_nothing_from_before_the_first_snapshot(tables: dict[str, DataFrame]) -> None:
    def day(studio: str, of: date) -> list[tuple[Any, ...]]:
        rows = tables["agg_studio_daily"].where((F.col("studio_id") == studio) & (F.col("activity_date") == of))
        return [tuple(row)[2:] for row in rows.collect()]

    # Of eleven new owners all is shown, of nine nothing; ten are enough.
    assert day("A", date(2026, 5, 1)) == [(None, None, 11, 11, True)]
    assert day("A", date(2026, 5, 2)) == [(None, None, None, None, True)]
    assert day("B", date(2026, 5, 1)) == [(0, 0, 10, 10, False)]
    # Entries acquired long ago, of too few players, before anything could be seen of play.
    assert day("B", LONG_AGO.date()) == [(None, None, None, None, True)]


def test_the_library_is_that_of_the_newest_snapshot(tables: dict[str, DataFrame]) -> None:
    library = tables["fact_library"]
    assert library.count() == 5 + 30
    assert [row[0] for row in library.select(F.unix_millis("as_of")).distinct().collect()] == [DAYS[3].timestamp() * 1000]
