"""The curated tables as data: what each is for, its grain, keys, columns and order, and how it is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from rocketgames_glue.transforms import columns as c
from rocketgames_glue.transforms.activity import fact_daily_activity
from rocketgames_glue.transforms.aggregates import agg_registrations_daily, agg_studio_daily
from rocketgames_glue.transforms.build import Build
from rocketgames_glue.transforms.columns import CuratedColumn
from rocketgames_glue.transforms.dimensions import GAMES, PLAYERS, STUDIOS, dim_game, dim_player, dim_studio
from rocketgames_glue.transforms.library import ENTRIES, LIBRARY_COLUMNS, fact_library, library_history

__all__ = ["CURATED", "CuratedColumn", "CuratedTable", "curated_table"]


@dataclass(frozen=True)
class CuratedTable:
    """
    `keys` are unique and never NULL. `sort_by` is the order within files. `depends_on` are curated tables of the same run.
    `reads` are the columns that the table needs of each lake table.
    """

    name: str
    description: str
    grain: str
    keys: tuple[str, ...]
    columns: tuple[CuratedColumn, ...]
    sort_by: tuple[str, ...]
    build: Callable[[Build], DataFrame] = field(repr=False)
    depends_on: tuple[str, ...] = ()
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def schema(self) -> StructType:
        return c.spark_schema(self.columns)


CURATED: tuple[CuratedTable, ...] = (
    CuratedTable(
        name="dim_player",
        description="Players through time: a version for each change that a snapshot shows. Nothing personal of erased players",
        grain="One row per player and version",
        keys=("player_ref", "valid_from"),
        columns=c.DIM_PLAYER,
        sort_by=("player_ref", "valid_from"),
        build=dim_player,
        reads={"players": PLAYERS.lake_columns},
    ),
    CuratedTable(
        name="dim_studio",
        description="Studios through time: a version for each change that a snapshot shows",
        grain="One row per studio and version",
        keys=("studio_id", "valid_from"),
        columns=c.DIM_STUDIO,
        sort_by=("studio_id", "valid_from"),
        build=dim_studio,
        reads={"studios": STUDIOS.lake_columns},
    ),
    CuratedTable(
        name="dim_game",
        description="Games through time: a version for each change that a snapshot shows",
        grain="One row per game and version",
        keys=("game_id", "valid_from"),
        columns=c.DIM_GAME,
        sort_by=("game_id", "valid_from"),
        build=dim_game,
        reads={"games": GAMES.lake_columns},
    ),
    CuratedTable(
        name="library_history",
        description="Library entries through time, as far as play goes: what fact_daily_activity is computed from. Without erased players",
        grain="One row per library entry and version",
        keys=("entry_id", "valid_from"),
        columns=c.LIBRARY_HISTORY,
        sort_by=("entry_id", "valid_from"),
        build=library_history,
        depends_on=("dim_player",),
        reads={"player_games": ENTRIES.lake_columns},
    ),
    CuratedTable(
        name="fact_library",
        description="What players own, as the newest snapshot shows it",
        grain="One row per player, game and platform",
        keys=("player_ref", "game_id", "platform"),
        columns=c.FACT_LIBRARY,
        sort_by=("game_id", "platform", "player_ref"),
        build=fact_library,
        depends_on=("dim_game",),
        reads={"player_games": LIBRARY_COLUMNS},
    ),
    CuratedTable(
        name="fact_daily_activity",
        description="Time played a day, from the differences between neighbouring snapshots. Without erased players",
        grain="One row per UTC day, player, game and platform with play",
        keys=("activity_date", "player_ref", "game_id", "platform"),
        columns=c.FACT_DAILY_ACTIVITY,
        sort_by=("activity_date", "game_id", "player_ref", "platform"),
        build=fact_daily_activity,
        depends_on=("dim_player", "dim_game", "library_history"),
    ),
    CuratedTable(
        name="agg_registrations_daily",
        description="Registrations a day and country, of all players that a snapshot has ever shown. Small cells are not shown; "
        "differences of those that are shown, or of two runs, may be small",
        grain="One row per UTC day and country with registrations",
        keys=("registration_date", "country"),
        columns=c.AGG_REGISTRATIONS_DAILY,
        sort_by=("registration_date", "country"),
        build=agg_registrations_daily,
        depends_on=("dim_player",),
    ),
    CuratedTable(
        name="agg_studio_daily",
        description="Activity and acquisitions a day and studio. Small cells are not shown; differences of those that are "
        "shown, or of two runs, may be small",
        grain="One row per UTC day and studio with activity or acquisitions",
        keys=("activity_date", "studio_id"),
        columns=c.AGG_STUDIO_DAILY,
        sort_by=("activity_date", "studio_id"),
        build=agg_studio_daily,
        depends_on=("fact_library", "fact_daily_activity"),
    ),
)


def curated_table(name: str) -> CuratedTable:
    return next(table for table in CURATED if table.name == name)
