"""Every statement of the loads is as the warehouses document it, and a wrong one is noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from statement_grammars import problem
from warehouse_runs import FIRST_ID, SECOND_ID, T0, first_rows, run_of

from rocketgames_glue.io.redshift_data_api import STATEMENT_BYTES_MAX, STATEMENTS_MAX
from rocketgames_glue.statements import column_types, postgres, redshift, snowflake
from rocketgames_glue.statements.warehouse_run import WarehouseFile, WarehouseTable, literal, quoted, staging_name
from rocketgames_glue.tables import CURATED

RUN = run_of(FIRST_ID, T0, first_rows())
ROLE = "arn:aws:iam::123456789012:role/load"
STAGING = redshift.Staging("accounts_staging", FIRST_ID, "0a1b2c")
URLS = {table.name: f"s3://lake/curated-meta/v1/redshift/{FIRST_ID}/{table.name}.manifest" for table in RUN.tables}


def redshift_statements() -> list[str]:
    made = [redshift.create_schema("accounts"), redshift.has_schema("accounts"), redshift.create_loads("accounts")]
    made += [redshift.columns_query("accounts"), redshift.last_load("accounts")]
    for table in RUN.tables:
        made += [redshift.create_target("accounts", table), redshift.describe("accounts", table)]
        made += [redshift.add_column("accounts", table.name, column) for column in table.columns]
    made += redshift.stage_batch(RUN, STAGING, URLS, ROLE)
    made += redshift.merge_batch("accounts", RUN, STAGING, None, "initial", "{}")
    made.append(redshift.drop("accounts_staging", ["staged", "other"]))
    return made + redshift.merge_batch("accounts", RUN, STAGING, SECOND_ID, "next", '{"dim_game": 1}')


def snowflake_statements() -> list[str]:
    made = [snowflake.create_schema("accounts"), snowflake.create_loads("accounts"), snowflake.create_lock("accounts")]
    made += [snowflake.fill_lock("accounts"), snowflake.take_lock("accounts", RUN), snowflake.last_load("accounts")]
    made += [snowflake.UTC, snowflake.BEGIN, snowflake.COMMIT, snowflake.ROLLBACK]
    made += [snowflake.create_stage("lake.public.curated", "lake", "lake_reader"), snowflake.insert_load("accounts", RUN, "initial", "{}")]
    for table in RUN.tables:
        made += [snowflake.create_target("accounts", table), snowflake.create_staging("accounts", table)]
        made += [snowflake.add_column("accounts", table.name, column) for column in table.columns]
        made += snowflake.copies("accounts", table, "lake.public.curated")
        made += [snowflake.delete_gone("accounts", table), snowflake.merge("accounts", table), snowflake.count("accounts", table.name)]
    return made


@pytest.mark.parametrize("dialect", ["redshift", "snowflake"])
def test_every_statement_is_as_documented(dialect: str) -> None:
    statements = redshift_statements() if dialect == "redshift" else snowflake_statements()
    assert len(statements) > 100
    assert [(each, why) for each in statements if (why := problem(dialect, each)) is not None] == []


WRONG = {
    "redshift": [
        (redshift.copy(STAGING, "dim_game", URLS["dim_game"], ROLE), "FORMAT AS PARQUET", "FORMAT AS PARKET"),
        (redshift.copy(STAGING, "dim_game", URLS["dim_game"], ROLE), " MANIFEST", " MANIFEST REGION 'eu-central-1'"),
        (redshift.copy(STAGING, "dim_game", URLS["dim_game"], ROLE), " MANIFEST", " MANIFEST MAXERROR 10"),
        (redshift.copy(STAGING, "dim_game", URLS["dim_game"], ROLE), f" IAM_ROLE '{ROLE}'", ""),
        (redshift.copy(STAGING, "dim_game", URLS["dim_game"], ROLE), "123456789012", "1"),
        (redshift.copy(STAGING, "dim_game", URLS["dim_game"], ROLE), "COPY ", "COPY INTO "),
        (redshift.create_target("accounts", RUN.tables[0]), "DISTKEY (", "DISTRIBUTE BY ("),
        (redshift.create_target("accounts", RUN.tables[0]), "COMPOUND SORTKEY", "SORTED"),
        (redshift.create_target("accounts", RUN.tables[0]), '"country" VARCHAR(64)', '"country" TEXT(64)'),
        (redshift.create_target("accounts", RUN.tables[0]), ",\n  PRIMARY", "\n  PRIMARY"),
        (redshift.create_target("accounts", RUN.tables[1]), "DISTSTYLE ALL", "DISTSTYLE SOME"),
        (redshift.drop_staging(STAGING, RUN.tables), "DROP TABLE", "DROP TABLES"),
        (redshift.lock("accounts"), "LOCK", "LOCK IN EXCLUSIVE MODE"),
        (redshift.find_gone("accounts", RUN.tables[0], STAGING), "EXCEPT", "EXCEPTING"),
        (redshift.delete_gone("accounts", RUN.tables[0]), "DELETE FROM", "DELETE USING FROM"),
        (redshift.insert_missing("accounts", RUN.tables[0], STAGING), "INSERT INTO", "INSERT FROM"),
        (redshift.counts(RUN, STAGING.of), "AS INTEGER)", "INTEGER"),
        (redshift.counts(RUN, STAGING.of), " END ", " "),
    ],
    "snowflake": [
        (next(snowflake.copies("accounts", RUN.tables[0], "curated")), "COPY INTO", "COPY"),
        (next(snowflake.copies("accounts", RUN.tables[0], "curated")), "@curated", "'curated'"),
        (next(snowflake.copies("accounts", RUN.tables[0], "curated")), "$1:", "$1."),
        (next(snowflake.copies("accounts", RUN.tables[0], "curated")), "FILES = (", "FILE = ("),
        (next(snowflake.copies("accounts", RUN.tables[0], "curated")), "TYPE = PARQUET", "TYPE PARQUET"),
        (next(snowflake.copies("accounts", RUN.tables[0], "curated")), "ABORT_STATEMENT", "ABORT"),
        (snowflake.create_stage("curated", "lake", "lake_reader"), "STORAGE_INTEGRATION = lake_reader", ""),
        (snowflake.create_stage("curated", "lake", "lake_reader"), "curated/v1/'", "curated/v1'"),
        (snowflake.merge("accounts", RUN.tables[0]), "WHEN NOT MATCHED", "WHEN NOT MATCHED BY TARGET"),
        (snowflake.merge("accounts", RUN.tables[0]), " USING ", " FROM "),
        (snowflake.create_target("accounts", RUN.tables[0]), "TIMESTAMP_NTZ(6)", "TIMESTAMPTZ"),
        (snowflake.delete_gone("accounts", RUN.tables[0]), "NOT EXISTS (", "NOT EXIST ("),
        (snowflake.take_lock("accounts", RUN), "UPDATE", "UPDATE INTO"),
    ],
}


@pytest.mark.parametrize(("dialect", "right", "word", "instead"), [(name, *each) for name, wrong in WRONG.items() for each in wrong])
def test_a_wrong_statement_is_noticed(dialect: str, right: str, word: str, instead: str) -> None:
    assert problem(dialect, right) is None and word in right
    assert problem(dialect, right.replace(word, instead, 1)) is not None


def test_a_load_of_all_tables_fits_into_the_batches_of_the_data_api() -> None:
    for batch in (redshift.stage_batch(RUN, STAGING, URLS, ROLE), redshift.merge_batch("accounts", RUN, STAGING, SECOND_ID, "next", "{}")):
        assert len(batch) <= STATEMENTS_MAX and sum(len(each.encode()) for each in batch) < STATEMENT_BYTES_MAX / 2


def test_a_copy_into_snowflake_names_a_thousand_files_at_most() -> None:
    files = tuple(WarehouseFile(f"curated/v1/dim_game/run_id={FIRST_ID}/part-{n:05}.parquet", 1, 0) for n in range(2_001))
    copies = list(snowflake.copies("accounts", replace(RUN.tables[2], files=files), "curated"))
    assert [each.count(".parquet'") for each in copies] == [1_000, 1_000, 1]
    assert f"'dim_game/run_id={FIRST_ID}/part-02000.parquet'" in copies[2]


def test_keys_spread_big_tables_and_small_ones_lie_everywhere() -> None:
    ends = {table.name: redshift.create_target("accounts", table).rsplit(")\n", 1)[-1].splitlines()[-1] for table in RUN.tables}
    assert ends["fact_library"] == ') DISTSTYLE KEY DISTKEY ("player_ref") COMPOUND SORTKEY ("game_id", "platform", "player_ref")'
    assert ends["library_history"] == ') DISTSTYLE KEY DISTKEY ("entry_id") COMPOUND SORTKEY ("entry_id", "valid_from")'
    assert ends["dim_game"].startswith(") DISTSTYLE ALL ")


def test_every_type_of_the_curated_tables_has_one_in_each_warehouse() -> None:
    kinds = {column.athena_type for table in CURATED for column in table.columns}
    assert kinds <= column_types.POSTGRES.keys() == column_types.REDSHIFT.keys() == column_types.SNOWFLAKE.keys()
    assert column_types.postgres_type("decimal(12,2)") == "numeric(12,2)"
    assert column_types.redshift_type("price", "decimal(12,2)") == "DECIMAL(12,2)"
    assert column_types.snowflake_type("decimal(12,2)") == "NUMBER(12,2)"
    with pytest.raises(ValueError, match="array<string> has no type"):
        column_types.postgres_type("array<string>")


@pytest.mark.parametrize("name", ['a"b', "Drop", "1a", "", "a b", "a" * 64])
def test_no_name_needs_escaping(name: str) -> None:
    with pytest.raises(ValueError, match="not a plain name"):
        quoted(name)


def test_a_literal_is_escaped_or_refused() -> None:
    assert literal("O'Brien") == "'O''Brien'"
    for text in ("a\\", "a\nb", "a\0b"):
        with pytest.raises(ValueError, match="no backslash"):
            literal(text)


def test_every_staging_name_fits_into_an_identifier() -> None:
    for table in CURATED:
        assert len(staging_name(table.name, FIRST_ID, "0a1b2c")) <= 63


def test_a_table_of_keys_alone_is_merged_without_an_update() -> None:
    alone = replace(RUN.tables[2], columns=tuple(each for each in RUN.tables[2].columns if each.name in RUN.tables[2].keys))
    assert isinstance(alone, WarehouseTable) and alone.values == ()
    assert "DO NOTHING" in postgres.merge("accounts", alone, "staging", "staged")
    assert "WHEN MATCHED" not in snowflake.merge("accounts", alone) and problem("snowflake", snowflake.merge("accounts", alone)) is None


def test_the_age_of_a_staging_table_of_redshift_is_in_its_name() -> None:
    began = 1_795_000_000.0
    name = redshift.Staging("accounts_staging", FIRST_ID, redshift.attempt_at(began)).of("dim_game").split(".")[1].strip('"')
    age = redshift.attempt_age(name, began + 90_000)
    assert age is not None and abs(age - 90_000) <= 256
    assert redshift.attempt_age("of_somebody_else", began) is None
