"""What the job makes of a plan, and what it refuses: with the name of what is wrong."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
import unload_matrix as matrix
from conftest import counted
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from rocketgames_glue.job_error import JobError
from rocketgames_glue.unload.footer import completed_end
from rocketgames_glue.unload.plan import KeyColumn, PlanRange, PlanTable, read_plan
from rocketgames_glue.unload.pseudonyms import Pseudonyms, pseudonyms
from rocketgames_glue.unload.selection import range_query
from rocketgames_glue.unload.thrift import BINARY, I64, LIST, STRUCT, Many, Struct, read_struct, write_struct

COLUMN = {
    "name": "id", "source": "id", "pg_type": "uuid", "athena_type": "string", "action": "include", "nullable": False,
    "on_unrepresentable": "fail", "stats": True,
}  # fmt: skip
RANGE = {"range": "ctid >= '(0,0)'::tid", "number": 0, "key": "k", "upload_id": "u", "estimated_rows": 5}
TABLE = {
    "name": "players", "table": "player", "fingerprint": "f", "contract_version": 1, "select": 'SELECT "id" FROM "player"',
    "columns": [COLUMN], "key": [{"name": "id", "field": 0}], "ranges": [RANGE], "min_key_column": None,
}  # fmt: skip
PLAN = {
    "plan_version": 1, "snapshot_id": "s", "bucket": "b", "contract_set_fingerprint": "f",
    "jdbc": {"url": "jdbc:postgresql://h/d", "user": "u", "exported_snapshot": "1-1", "session_init": "SET …", "visible": "7:9:8"},
    "taken_at": "t", "wal_lsn": "0/1", "created_by": "c", "codec": "zstd", "row_group_rows": 10, "row_group_bytes": 10,
    "part_bytes": 5 << 20, "most_parts": 9000, "pseudonym_key_version": 1, "tables": [TABLE], "report": "r",
}  # fmt: skip


def test_a_plan_is_read() -> None:
    plan = read_plan(json.dumps(PLAN).encode(), "plan.json")
    [table] = plan.tables
    assert plan.metadata(table, 3)["rocketgames.part"] == "3"
    assert (table.key, table.ranges) == ((KeyColumn("id", 0),), (PlanRange(RANGE["range"], 0, "k", "u", 5.0),))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"plan_version": 2}, "its plan_version is 2, this job knows 1"),
        ({"codec": "lz4"}, "its codec is lz4"),
        ({"part_bytes": 1}, "parts 5242880 bytes"),
        ({"tables": [TABLE, TABLE]}, "names a table twice"),
        ({"tables": [{**TABLE, "ranges": []}]}, "players has no range"),
        ({"tables": [{**TABLE, "ranges": [RANGE, RANGE]}]}, "players has no range, or one twice"),
        ({"tables": [{**TABLE, "columns": [{**COLUMN, "pg_type": "timestamptz"}]}]}, r"players.id is of type timestamptz"),
        ({"tables": [{**TABLE, "columns": [{**COLUMN, "pg_type": "numeric(39,2)"}]}]}, r"numeric\(39,2\)"),
        ({"tables": [{**TABLE, "columns": [{**COLUMN, "pg_type": "text", "action": "pseudonymise"}]}]}, "a pseudonym of a text"),
        ({"jdbc": {}}, "KeyError 'url'"),
    ],
)
def test_a_plan_that_this_job_cannot_do_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(JobError, match=said) as caught:
        read_plan(json.dumps({**PLAN, **change}).encode(), "plan.json")
    assert caught.value.code == "plan-invalid" and "plan.json" in caught.value.message


def test_no_plan_at_all_is_refused() -> None:
    with pytest.raises(JobError, match="is no plan"):
        read_plan(b"<html>", "plan.json")


def test_rows_are_asked_for_in_forms_that_java_does_not_change() -> None:
    given = matrix.table(matrix.columns())
    table = PlanTable(**{**vars(given), "key": (KeyColumn("id", 0), KeyColumn("platform", len(given.columns)))})
    query = range_query(table, PlanRange("ctid < '(9,0)'::tid", 0, "k", "u", 1), "7:9:8")
    assert query.startswith('SELECT "id"::text AS "id", uuid_send("ref"::uuid) AS "ref", "name"::text AS "name"')
    assert 'timestamptz_send("created_at") AS "created_at", date_send("born") AS "born", "small"::integer AS "small"' in query
    assert '"price"::text AS "price"' in query and '"is_on"::boolean AS "is_on"' in query
    rows = '"id"::text AS "_pk_0", "_key_0"::text AS "_pk_1" FROM (SELECT * FROM "matrix_row" WHERE ctid < \'(9,0)\'::tid) AS _rows'
    assert f"{rows} WHERE CASE current_setting('transaction_isolation') || ' ' || pg_current_snapshot()::text WHEN 'repeatable read 7:9:8'" in query


@settings(max_examples=counted(50, 5_000), deadline=None, database=None)
@given(st.lists(st.binary(min_size=16, max_size=16), max_size=20), st.binary(min_size=32, max_size=32))
def test_a_batch_of_pseudonyms_is_that_of_single_blocks(ids: list[bytes], key: bytes) -> None:
    def one(block: bytes) -> bytes:
        encryptor = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()
        return (encryptor.update(block) + encryptor.finalize()).hex().encode()

    assert Pseudonyms(key).of(b"".join(ids)) == b"".join(one(each) for each in ids)


def test_a_pseudonym_is_the_block_of_the_standard() -> None:
    """FIPS 197, appendix C.3."""
    found = Pseudonyms(bytes(range(32))).of(bytes.fromhex("00112233445566778899aabbccddeeff"))
    assert found == b"8ea2b7ca516745bfeafc49904b496089"


def test_a_key_is_neither_shown_nor_written_down() -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits") as caught:
        pseudonyms("no key, but a secret")
    assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match="32 bytes"):
        pseudonyms("0707")
    key = pseudonyms("07" * 32)
    ids = bytes(range(16))
    assert pseudonyms(f"2:{'07' * 32}").of(ids) == key.of(ids)
    assert repr(key) == "Pseudonyms()"
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(ValueError, match="no uuids"):
        key.of(b"short")


def test_a_struct_of_thrift_is_written_as_it_was_read() -> None:
    inner = Struct({1: (I64, -(2**63)), 40: (BINARY, b"x" * 300), 41: (LIST, Many(I64, list(range(-20, 20))))})
    struct = Struct({2: (STRUCT, inner), 3: (1, True), 4: (2, False), 16: (LIST, Many(STRUCT, [inner, Struct()])), 17: (LIST, Many(1, [1, 2]))})
    content = write_struct(struct)
    found, size = read_struct(content + b"more")
    assert (found, size) == (struct, len(content))
    assert write_struct(found) == content


@pytest.mark.parametrize("content", [b"", b"PAR1", b"\x00" * 20, b"\xff\xff\xff\x7fPAR1", b"\x00\x01\x00\x00\x00PAR1"])
def test_an_end_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises((ValueError, AttributeError)):
        completed_end(content, matrix.columns(), "x", {})
