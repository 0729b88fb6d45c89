"""Snapshots of small made-up accounts databases, many at once: each history has its own keys, so that one Spark job does them all."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from rocketgames_glue.transforms.build import Snapshot

Row = dict[str, Any]
State = dict[str, dict[str, Row]]

START = datetime(2026, 3, 1, 2, 0, 0, 123000, tzinfo=timezone.utc)
KEYS = {"players": "player_ref", "studios": "id", "games": "id", "player_games": "id"}
NEVER_ERASED = ("active", "closed", "erasure_pending", "frozen by a label of tomorrow")


@dataclass
class Lake:
    """`rows[snapshot_id][table]` are the raw rows, with columns that curated tables leave out as well."""

    snapshots: list[Snapshot]
    rows: dict[str, dict[str, list[Row]]] = field(default_factory=dict)


def snapshots(random: Random, count: int) -> list[Snapshot]:
    """Ascending by sequence. Hours to days apart, and once, where there are four or more, two of the same instant; of seven, three."""
    made: list[Snapshot] = []
    taken_at = START
    first = random.randrange(1, count - 1) if count >= 4 else count
    twins = range(first, first + (2 if count >= 7 else 1))
    for sequence in range(1, count + 1):
        if sequence != 1 and sequence - 1 not in twins:
            taken_at += timedelta(milliseconds=random.choice([1, 3_600_000, 20 * 3_600_000, 24 * 3_600_000, 80 * 3_600_000]))
        made.append(Snapshot(f"{taken_at:%Y%m%dt%H%M%Sz}-{sequence:08d}", sequence, taken_at))
    return made


def generate(seed: int, histories: int, count: int) -> Lake:
    random = Random(seed)
    lake = Lake(snapshots(random, count))
    state: State = {table: {} for table in KEYS}
    before: datetime | None = None
    for snapshot in lake.snapshots:
        for history in range(histories):
            _evolve(random, state, f"h{history:04d}", before, snapshot.taken_at)
        # What is gone may be back later as it was; what is not shown is not in the snapshot.
        lake.rows[snapshot.snapshot_id] = {
            table: [
                {name: value for name, value in row.items() if name != "is_gone"}
                for row in deepcopy(list(rows.values()))
                if not row["is_gone"]
            ]
            for table, rows in state.items()
        }
        before = snapshot.taken_at
    return lake


def _evolve(random: Random, state: State, history: str, before: datetime | None, now: datetime) -> None:
    chance = random.random
    times = list(_times(random, before, now))
    for key, make, change in _things(random, state, history, times):
        table, name = key
        rows = state[table]
        if name not in rows:
            if chance() < 0.6:
                rows[name] = {KEYS[table]: name, **make(), "is_gone": False, "version": 1, "updated_at": now}
            continue
        row = rows[name]
        if before == now and row.get("status") == "erased":
            # Of two snapshots of one instant only the later one speaks: an erasure that the earlier one alone showed would be nobody's.
            continue
        # Control columns change without a reason, the others rarely: no version may come of that.
        row["version"] += 1
        row["updated_at"] = now
        if chance() < 0.15:
            row["is_gone"] = not row["is_gone"]
        if chance() < 0.5:
            change(row)


def _times(random: Random, before: datetime | None, now: datetime) -> Iterator[datetime]:
    """Instants that decide: of the snapshot itself, of the one before, a millisecond around them, midnight, long ago."""
    millisecond = timedelta(milliseconds=1)
    yield from (now, now - millisecond, now + millisecond, START - timedelta(days=400, milliseconds=7))
    yield now.replace(hour=0, minute=0, second=0, microsecond=0)
    if before is not None:
        yield from (before, before + millisecond, before - millisecond, before + (now - before) / 2 // millisecond * millisecond)
        yield before.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _things(random: Random, state: State, history: str, times: list[datetime]) -> Iterator[tuple[Any, Any, Any]]:
    pick = random.choice
    # Few values, so that equal ones come back; case, spaces and the empty text are values of their own.
    countries = [None, f"{history}-DE", f"{history}-de", f"{history}-DE ", ""]

    def some(*values: Any) -> Any:
        return pick(values)

    def player() -> Row:
        return {
            "email_verified": some(True, False),
            "birth_year": some(None, "1990", "under_18"),
            "country": pick(countries),
            "language": some(None, "de"),
            "status": pick(NEVER_ERASED),
            "closed_at": None,
            "erased_at": None,
            "created_at": START - timedelta(days=random.randrange(2), hours=3),
        }

    def change_player(row: Row) -> None:
        if row["status"] == "erased" and random.random() < 0.7:
            return
        if random.random() < 0.15:
            row.update(email_verified=False, birth_year=None, country=None, language=None, status="erased", erased_at=times[1])
        else:
            # Also of erased ones: a restored backup may bring anything back.
            row.update(_pick_of(random, player(), 2))
            if random.random() < 0.1:
                row["status"] = "active"

    def studio() -> Row:
        return {
            "slug": some("s", "S"),
            "name": some("A", "B"),
            "legal_name": some("x", "y"),
            "country": some(None, "FR"),
            "website": None,
            "status": some("prospect", "active"),
            "status_changed_at": START,
            "external_ref": None,
            "created_at": START,
        }

    def game() -> Row:
        return {
            "studio_id": f"{history}-s{random.randrange(2)}",
            "slug": "g",
            "title": some("T", "T "),
            "genres": some("[]", '["a", "b"]'),
            "min_age": some(None, 0, 18),
            "release_date": some(None, START.date()),
            "release_precision": "day",
            "status": some("draft", "released"),
            "status_changed_at": START,
            "external_ref": some(None, ""),
            "created_at": START,
        }

    def entry(player: str, number: int) -> Row:
        played = pick(times)
        return {
            "player_ref": player,
            "game_id": f"{history}-g{number % 2}",
            "platform": some("windows", "web"),
            "source": "purchase",
            "acquired_at": pick(times),
            "expires_at": some(None, None, pick(times)),
            "revoked_at": some(None, None, pick(times)),
            "revoke_reason": None,
            "playtime_seconds": some(0, 100, 3600),
            "first_played_at": some(None, played),
            "last_played_at": pick(times),
            "created_at": START,
        }

    def change_entry(row: Row) -> None:
        if random.random() < 0.7:
            row["playtime_seconds"] += some(1, 60, 7200, -50 if row["playtime_seconds"] >= 50 else 0)
            row["last_played_at"] = pick(times)
        else:
            row.update(_pick_of(random, entry(f"{history}-p{random.randrange(3)}", random.randrange(3)), 2))

    for number in range(2):
        yield ("studios", f"{history}-s{number}"), studio, lambda row: row.update(_pick_of(random, studio(), 1))
        yield ("games", f"{history}-g{number}"), game, lambda row: row.update(_pick_of(random, game(), 1))
    for number in range(3):
        yield ("players", f"{history}-p{number}"), player, change_player
    for number in range(3):
        yield ("player_games", f"{history}-e{number}"), lambda n=number: entry(f"{history}-p{n}", n), change_entry


def _pick_of(random: Random, row: Row, count: int) -> Row:
    return {name: row[name] for name in random.sample(sorted(row), count)}
