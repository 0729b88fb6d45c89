"""The curated tables as data: what their columns owe to the lake's contract, and that an analyst can read them."""

from __future__ import annotations

import re

import pytest

from rocketgames_glue.contract import load_contract
from rocketgames_glue.tables import CURATED, CuratedTable, curated_table

HISTORY = ("is_deleted", "valid_from", "valid_to", "is_current")
#: What no version is made for, and what curated tables leave out on purpose.
UNTRACKED = {"version", "updated_at"}
LEFT_OUT = {"studios": {"legal_name"}}
ENTRY_COLUMNS = {"id", "player_ref", "game_id", "platform", "playtime_seconds", "first_played_at", "last_played_at"}

by_name = pytest.mark.parametrize("table", CURATED, ids=lambda table: table.name)


@pytest.mark.parametrize(
    ("name", "raw", "key"),
    [("dim_player", "players", None), ("dim_studio", "studios", "studio_id"), ("dim_game", "games", "game_id")],
)
def test_a_dimension_has_every_column_that_the_contract_exports(name: str, raw: str, key: str | None) -> None:
    exported = [each for each in load_contract().tables[raw].columns if each.name not in UNTRACKED | LEFT_OUT.get(raw, set())]
    wanted = [(key if key and each.name == "id" else each.name, each.athena_type, each.data_class == "personal") for each in exported]
    columns = [each for each in curated_table(name).columns if each.name not in HISTORY]
    # A column that joins the contract has to be given a comment here, and one that leaves it to be thought about.
    assert [(each.name, each.athena_type, each.personal) for each in columns] == wanted


@by_name
def test_what_a_table_reads_is_in_the_contract(table: CuratedTable) -> None:
    for raw, columns in table.reads.items():
        assert set(columns) <= {each.name for each in load_contract().tables[raw].columns}


def test_a_library_entry_is_tracked_as_far_as_play_goes() -> None:
    assert set(curated_table("library_history").reads["player_games"]) == ENTRY_COLUMNS


@by_name
def test_no_table_shows_a_personal_column_unless_it_is_marked(table: CuratedTable) -> None:
    personal = {each.name for each in load_contract().tables["players"].columns if each.data_class == "personal"}
    of_players = table.name in ("dim_player", "fact_library", "fact_daily_activity", "library_history")
    assert not of_players or {each.name for each in table.columns if each.personal} == personal & {each.name for each in table.columns}


@by_name
def test_keys_and_order_are_columns_that_are_never_null(table: CuratedTable) -> None:
    never_null = {each.name for each in table.columns if not each.nullable}
    assert set(table.keys) <= never_null
    assert set(table.sort_by) <= {each.name for each in table.columns}


@by_name
def test_what_a_table_depends_on_is_built_before_it(table: CuratedTable) -> None:
    before = [each.name for each in CURATED[: CURATED.index(table)]]
    assert set(table.depends_on) <= set(before)


@by_name
def test_names_suit_athena_and_comments_suit_analysts(table: CuratedTable) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,62}", table.name)
    assert len({each.name for each in table.columns}) == len(table.columns)
    for column in table.columns:
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,62}", column.name)
        # Glue takes 255 characters.
        assert 5 < len(column.comment) <= 255
        assert column.athena_type != "timestamp" or "UTC" in column.comment
        assert not column.name.endswith("seconds") or "seconds" in column.comment
