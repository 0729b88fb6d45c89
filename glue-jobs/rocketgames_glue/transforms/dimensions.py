"""The slowly changing dimensions (type 2): players, studios, games."""

from __future__ import annotations

from pyspark.sql import DataFrame

from rocketgames_glue.transforms import columns as c
from rocketgames_glue.transforms.build import Build
from rocketgames_glue.transforms.history import Tracked, track_history

PLAYERS = Tracked(
    table="dim_player",
    lake_table="players",
    lake_key="player_ref",
    key=c.PLAYER_KEY,
    attributes=c.PLAYER,
    erased_status="erased",
)
STUDIOS = Tracked(table="dim_studio", lake_table="studios", lake_key="id", key=c.STUDIO_KEY, attributes=c.STUDIO)
GAMES = Tracked(table="dim_game", lake_table="games", lake_key="id", key=c.GAME_KEY, attributes=c.GAME)


def dim_player(build: Build) -> DataFrame:
    """
    All versions of all players. Once any snapshot shows a player as erased, his personal columns are NULL in all of his versions,
    and versions that differed in nothing else are one.
    """
    return c.select_columns(track_history(build, PLAYERS), c.DIM_PLAYER)


def dim_studio(build: Build) -> DataFrame:
    """All versions of all studios, without their legal names."""
    return c.select_columns(track_history(build, STUDIOS), c.DIM_STUDIO)


def dim_game(build: Build) -> DataFrame:
    """All versions of all games."""
    return c.select_columns(track_history(build, GAMES), c.DIM_GAME)
