"""
The curated tables by the plainest means: loops over the raw rows of all snapshots, one key at a time. Shares nothing with the
transforms but the meaning of the tables.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from generated_lake import KEYS, Lake, Row

from rocketgames_glue.transforms.build import Snapshot

CONTROL = {"version", "updated_at", "legal_name"}


class Oracle:
    """Of the given snapshots of a lake."""

    def __init__(self, lake: Lake, snapshots: list[Snapshot], small_cell: int) -> None:
        speaking: dict[datetime, Snapshot] = {}
        for each in snapshots:
            other = speaking.get(each.taken_at)
            if other is None or other.sequence < each.sequence:
                speaking[each.taken_at] = each
        self.snapshots = [speaking[taken_at] for taken_at in sorted(speaking)]
        self.shown = {
            table: [{row[key]: row for row in lake.rows[each.snapshot_id][table]} for each in self.snapshots]
            for table, key in KEYS.items()
        }
        self.small_cell = small_cell
        self.erased = {ref for rows in self.shown["players"] for ref, row in rows.items() if row["status"] == "erased"}

    def tables(self) -> dict[str, list[Row]]:
        activity = self._activity()
        return {
            "dim_player": self._versions("players", "player_ref", self._player),
            "dim_studio": self._versions("studios", "studio_id", lambda row: row),
            "dim_game": self._versions("games", "game_id", lambda row: row),
            "library_history": self._versions("player_games", "entry_id", self._entry),
            "fact_library": self._library(),
            "fact_daily_activity": activity,
            "agg_registrations_daily": self._registrations(),
            "agg_studio_daily": self._studio_days(activity),
        }

    def _player(self, row: Row) -> Row:
        if row["player_ref"] not in self.erased:
            return row
        return {**row, "email_verified": None, "birth_year": None, "country": None, "language": None}

    def _entry(self, row: Row) -> Row | None:
        if row["player_ref"] in self.erased:
            return None
        kept = ("id", "player_ref", "game_id", "platform", "playtime_seconds", "first_played_at", "last_played_at")
        return {name: row[name] for name in kept}

    def _versions(self, table: str, name: str, seen_as: Any) -> list[Row]:
        key = KEYS[table]
        versions = []
        for ref in {ref for rows in self.shown[table] for ref in rows}:
            last: Row | None = None
            own: list[Row] = []
            for snapshot, rows in zip(self.snapshots, self.shown[table], strict=True):
                row = seen_as(rows[ref]) if ref in rows else None
                now = None if row is None else {k: v for k, v in row.items() if k not in CONTROL and k != key}
                if now != last:
                    if own:
                        own[-1] = {**own[-1], "valid_to": snapshot.taken_at, "is_current": False}
                    state = {"is_deleted": now is None, "valid_from": snapshot.taken_at, "valid_to": None, "is_current": True}
                    own.append({name: ref, **(now or {}), **state})
                last = now
            versions += own
        return versions

    def _studio_of(self, game: str, index: int) -> str | None:
        return self.shown["games"][index].get(game, {}).get("studio_id")

    def _library(self) -> list[Row]:
        as_of = self.snapshots[-1].taken_at
        library = []
        for row in self.shown["player_games"][-1].values():
            over = row["revoked_at"] is not None or (row["expires_at"] is not None and row["expires_at"] <= as_of)
            kept = {k: v for k, v in row.items() if k not in CONTROL and k not in ("id", "created_at")}
            library.append({**kept, "studio_id": self._studio_of(row["game_id"], -1), "is_owned": not over, "as_of": as_of})
        return library

    def _activity(self) -> list[Row]:
        days: dict[tuple[Any, ...], list[tuple[int, int]]] = defaultdict(list)
        for index in range(1, len(self.snapshots)):
            start, end = self.snapshots[index - 1].taken_at, self.snapshots[index].taken_at
            earlier = self.shown["player_games"][index - 1]
            for ref, row in self.shown["player_games"][index].items():
                if row["player_ref"] in self.erased:
                    continue
                before = earlier.get(ref)
                if before is not None and before["player_ref"] == row["player_ref"]:
                    played = row["playtime_seconds"] - before["playtime_seconds"]
                elif row["first_played_at"] is not None and row["first_played_at"] > start:
                    played = row["playtime_seconds"]
                else:
                    continue
                if played <= 0:
                    continue
                last = row["last_played_at"]
                day = last.date() if last is not None and start < last <= end else end.date()
                days[day, row["player_ref"], row["game_id"], row["platform"]].append((index, played))
        return [
            {
                "activity_date": day,
                "player_ref": player,
                "game_id": game,
                "platform": platform,
                "studio_id": self._studio_of(game, max(index for index, _ in parts)),
                "seconds_played": sum(played for _, played in parts),
                "observed_from": self.snapshots[min(index for index, _ in parts) - 1].taken_at,
                "observed_to": self.snapshots[max(index for index, _ in parts)].taken_at,
            }
            for (day, player, game, platform), parts in days.items()
        ]

    def _cell(self, persons: set[str], value: int) -> int | None:
        return None if 1 <= len(persons) < self.small_cell else value

    def _registrations(self) -> list[Row]:
        last: Row = {}
        for rows in self.shown["players"]:
            last.update(rows)
        cells: dict[tuple[date, str], list[Row]] = defaultdict(list)
        for row in last.values():
            seen = self._player(row)
            country = "ZZ" if seen["country"] is None else seen["country"]
            cells[row["created_at"].date(), country].append(seen)
        result = []
        for (day, country), rows in cells.items():
            active = {r["player_ref"] for r in rows if r["status"] == "active" and r["player_ref"] in self.shown["players"][-1]}
            people = {
                "registrations": {r["player_ref"] for r in rows},
                "email_verified": {r["player_ref"] for r in rows if r["email_verified"]},
                "still_active": active,
            }
            shown = {name: self._cell(who, len(who)) for name, who in people.items()}
            result.append({"registration_date": day, "country": country, **shown, "is_suppressed": None in shown.values()})
        return result

    def _studio_days(self, activity: list[Row]) -> list[Row]:
        library = [row for row in self._library() if row["studio_id"] is not None]
        activity = [row for row in activity if row["studio_id"] is not None]
        days = {(row["activity_date"], row["studio_id"]) for row in activity}
        days |= {(row["acquired_at"].date(), row["studio_id"]) for row in library}
        result = []
        for day, studio in days:
            played = [r for r in activity if (r["activity_date"], r["studio_id"]) == (day, studio)]
            owned = [r for r in library if r["studio_id"] == studio]
            gained = [r for r in owned if r["acquired_at"].date() == day]
            before = {r["player_ref"] for r in owned if r["acquired_at"].date() < day}
            players, acquirers = {r["player_ref"] for r in played}, {r["player_ref"] for r in gained}
            shown = {
                "active_players": self._cell(players, len(players)),
                "seconds_played": self._cell(players, sum(r["seconds_played"] for r in played)),
                "new_entries": self._cell(acquirers, len(gained)),
                "new_owners": self._cell(acquirers - before, len(acquirers - before)),
            }
            suppressed = None in shown.values()
            if day < self.snapshots[0].taken_at.date():
                shown |= {"active_players": None, "seconds_played": None}
            result.append({"activity_date": day, "studio_id": studio, **shown, "is_suppressed": suppressed})
        return result
