"""Files of the unload: the service's own reader finds in them what the contract says, and pyarrow the values."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
import pytest
import unload_matrix as matrix
from conftest import counted
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from file_oracle import FileOracle

from rocketgames_glue.unload.encode import RangeFile
from rocketgames_glue.unload.facts import EncodedFile
from rocketgames_glue.unload.plan import PlanColumn
from rocketgames_glue.unload.problems import UnloadProblem, marked_problem
from rocketgames_glue.unload.pseudonyms import pseudonyms

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
METADATA = {"rocketgames.snapshot_id": "20261123t020000z-01kaq3c9", "rocketgames.part": "3"}
PSEUDONYMS = pseudonyms(matrix.PSEUDONYM_KEY)


class Bytes:
    """An output that keeps everything."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, data: bytes | memoryview) -> None:
        self.content += data


def write(
    path: Path, every: tuple[PlanColumn, ...], batches: list[list[dict[str, Any]]], min_key: str | None = "id", **settings: Any
) -> EncodedFile:
    output = Bytes()
    file = RangeFile(matrix.table(every, min_key), matrix.encoding(**settings), METADATA, PSEUDONYMS, output)
    for rows in batches:
        file.append(matrix.batch(every, rows))
    facts = file.close()
    path.write_bytes(output.content)
    assert output.content.endswith(facts.tail)
    return facts


def random_row(source: random.Random) -> dict[str, Any]:
    """Mostly values, some NULL; the ends of every type among them."""

    def one(*values: Any) -> Any:
        return source.choice(values)

    def digits(count: int, scale: int) -> str:
        number = one(0, 1, -1, 10**count - 1, 1 - 10**count, source.randrange(1 - 10**count, 10**count))
        return str(Decimal(number).scaleb(-scale).quantize(Decimal(1).scaleb(-scale), context=None)) if count < 28 else _scaled(number, scale)

    row: dict[str, Any] = {
        "ref": source.randbytes(16),
        "name": one("", "a", "Zoë", "🚀 to the moon", "x" * source.randrange(400), "line\nbreak\t\x7f"),
        "kind": one("windows", "macos", "linux"),
        "details": one('{"a": 1}', "null", "[]", '{"é": "\U0001f600"}'),
        "created_at": matrix.instant(one(-2_208_988_800_000_000, 253_402_300_799_999_000, -1_000, 0, source.randrange(2**50))),
        "born": matrix.day(one(-141_427, 2_932_896, -1, 0, source.randrange(20_000))),
        "small": one(-32_768, 32_767, 0, source.randrange(100)),
        "whole": one(-(2**31), 2**31 - 1, 0, source.randrange(10**6)),
        "large": one(-(2**63), 2**63 - 1, -1, 0, source.randrange(2**40)),
        "is_on": one(True, False),
        "price": digits(9, 2),
        "amount": digits(18, 4),
        "wide": digits(38, 10),
        "broad": digits(20, 0),
    }
    kept = {name: value for name, value in row.items() if source.random() > 0.15}
    return {"id": str(UUID(bytes=source.randbytes(16))), **kept}


def _scaled(number: int, scale: int) -> str:
    text = str(abs(number)).rjust(scale + 1, "0")
    return f"{'-' if number < 0 else ''}{text[:-scale]}.{text[-scale:]}"


def as_read(column: PlanColumn, value: Any) -> Any:
    """What pyarrow should read for what was sent."""
    if value is None:
        return None
    if column.is_pseudonym:
        encryptor = Cipher(algorithms.AES256(bytes.fromhex(matrix.PSEUDONYM_KEY)), modes.ECB()).encryptor()
        return encryptor.update(value).hex()
    if column.pg_type == "timestamptz(3)":
        return EPOCH + timedelta(microseconds=int.from_bytes(value, "big", signed=True) + 946_684_800_000_000)
    if column.pg_type == "date":
        return date(1970, 1, 1) + timedelta(days=int.from_bytes(value, "big", signed=True) + 10_957)
    return Decimal(value) if column.decimal else value


@pytest.mark.parametrize("codec", ["zstd", "snappy", "gzip"])
@pytest.mark.parametrize("group_rows", [1_000, 100_000])
def test_every_type_is_read_back_by_two_readers(oracle: FileOracle, tmp_path: Path, codec: str, group_rows: int) -> None:
    source = random.Random(group_rows)
    every = matrix.columns()
    batches = [[random_row(source) for _ in range(count)] for count in (700, 1, 0, counted(900, 60_000))]
    path = tmp_path / "file.parquet"
    facts = write(path, every, batches, codec=codec, row_group_rows=group_rows)
    rows = [row for batch in batches for row in batch]

    found = oracle.verify(path, len(facts.tail), every)
    assert found["problems"] == []
    assert found["rows"] == facts.rows == len(rows)
    assert found["rowGroups"] == facts.row_groups == -(-len(rows) // group_rows)
    assert found["metadata"] == METADATA
    assert found["columns"] == {name: vars(each) for name, each in facts.columns.items()}
    keys = sorted(row["id"] for row in rows)
    assert (facts.min_key, facts.max_key) == (keys[0], keys[-1])

    read = pq.read_table(path)
    for column in every:
        assert read.column(column.name).to_pylist() == [as_read(column, row.get(column.name)) for row in rows], column.name
    metadata = pq.read_metadata(path)
    assert metadata.created_by == matrix.encoding().created_by
    chunk = metadata.row_group(0).column(1)
    assert chunk.path_in_schema == "ref" and not chunk.is_stats_set
    assert all(metadata.row_group(0).column(i).has_offset_index for i in range(len(every)))


def test_statistics_and_page_index_serve_where_the_service_checks_them(oracle: FileOracle, tmp_path: Path) -> None:
    """Pages of many values, texts out of the order of UTF-16, and bounds too long to be kept."""
    every = matrix.columns()
    texts = ["\ue000", "\U0001f600", "\U0010ffff" * 100, "a"]
    rows = [{"id": str(UUID(int=i)), "name": texts[i % 4], "details": texts[i % 2], "large": i} for i in range(200_000)]
    path = tmp_path / "file.parquet"
    facts = write(path, every, [rows])
    found = oracle.verify(path, len(facts.tail), every)
    assert found["problems"] == []
    group = pq.read_metadata(path).row_group(0)
    by_name = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert not by_name["name"].statistics.has_min_max
    assert (by_name["details"].statistics.min, by_name["details"].statistics.max) == ("\ue000", "\U0001f600")
    assert (by_name["large"].statistics.min, by_name["large"].statistics.max) == (0, 199_999)
    assert by_name["large"].has_column_index


@pytest.mark.parametrize("rows", [[], [{"id": "00000000-0000-0000-0000-000000000001"}]], ids=["no row", "only NULL"])
def test_files_with_hardly_anything(oracle: FileOracle, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    every = matrix.columns()
    path = tmp_path / "file.parquet"
    facts = write(path, every, [rows] if rows else [])
    found = oracle.verify(path, len(facts.tail), every)
    assert (found["rows"], found["rowGroups"], found["problems"]) == (len(rows), len(rows), [])
    assert facts.min_key == (rows[0]["id"] if rows else None)
    assert pq.read_table(path).num_rows == len(rows)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        pytest.param("created_at", (2**63 - 1).to_bytes(8, "big"), "infinity", id="infinity"),
        pytest.param("created_at", (2**63).to_bytes(8, "big"), "infinity", id="-infinity"),
        pytest.param("created_at", matrix.instant(-62_135_596_800_000_001), "bc", id="an instant before Christ"),
        pytest.param("created_at", matrix.instant(-2_208_988_800_000_001), "out_of_range", id="the instant before 1900"),
        pytest.param("created_at", matrix.instant(253_402_300_799_999_001), "out_of_range", id="the last microsecond of 9999"),
        pytest.param("born", (2**31 - 1).to_bytes(4, "big"), "infinity", id="the day infinity"),
        pytest.param("born", (2**31).to_bytes(4, "big"), "infinity", id="the day -infinity"),
        pytest.param("born", matrix.day(-719_163), "bc", id="a day before Christ"),
        pytest.param("born", matrix.day(-719_162), "out_of_range", id="the first day of year 1"),
        pytest.param("born", matrix.day(-141_428), "out_of_range", id="the day before 1582-10-15"),
        pytest.param("born", matrix.day(2_932_897), "out_of_range", id="the first day of year 10000"),
        pytest.param("price", "NaN", "nan", id="NaN"),
        pytest.param("wide", "NaN", "nan", id="NaN of many digits"),
        pytest.param("wide", "-Infinity", "infinity", id="-Infinity"),
    ],
)
def test_values_that_no_file_can_hold(oracle: FileOracle, tmp_path: Path, name: str, value: Any, reason: str) -> None:
    good = {"id": "00000000-0000-0000-0000-000000000001"}
    bad = {"id": "00000000-0000-0000-0000-000000000002", name: value}
    with pytest.raises(UnloadProblem) as caught:
        write(tmp_path / "lost", matrix.columns(), [[good, good], [good, bad]])
    assert caught.value.to_json() == {
        "code": "unrepresentable_value",
        "message": f"matrix_row.{name} of the row id={bad['id']} cannot be held by Parquet and its readers ({reason})",
        "table": "matrix_row",
        "column": name,
        "primary_key": f"id={bad['id']}",
        "reason": reason,
    }
    # Where logs may see it, nobody is named.
    assert bad["id"] not in str(caught.value) + repr(caught.value.facts) + caught.value.marked()
    told = marked_problem(f"Traceback …\n{caught.value.marked()}\n  at …")
    assert told is not None and (told.problem_code, told.about["column"]) == ("unrepresentable_value", name)

    every = matrix.columns(**{name: {"on_unrepresentable": "null", "nullable": False}})
    filled = {**good, name: value if name == "id" else _any_value(every, name)}
    path = tmp_path / "file.parquet"
    facts = write(path, every, [[filled, bad, bad]])
    assert facts.unrepresentable == {name: {"infinity": 0, "bc": 0, "out_of_range": 0, "nan": 0, reason: 2}}
    found = oracle.verify(path, len(facts.tail), every)
    assert found["problems"] == []
    assert found["columns"][name] == {"nulls": 2, "sum": facts.columns[name].sum}


def _any_value(every: tuple[PlanColumn, ...], name: str) -> Any:
    pg_type = next(each.pg_type for each in every if each.name == name)
    return {"timestamptz(3)": matrix.instant(0), "date": matrix.day(0)}.get(pg_type, "1.00")


def test_a_part_that_cannot_be_sent_ends_the_file_by_its_own_name() -> None:
    """Told in the middle of a row group, by way of the writer's own code."""

    class Gone:
        def write(self, data: bytes | memoryview) -> None:
            raise UnloadProblem("storage_failed", "The upload of k is gone", key="k", aws_code="NoSuchUpload")

    every = matrix.columns()
    with pytest.raises(UnloadProblem) as caught:
        file = RangeFile(matrix.table(every), matrix.encoding(row_group_rows=10), METADATA, PSEUDONYMS, Gone())
        file.append(matrix.batch(every, [{"id": str(UUID(int=i))} for i in range(25)]))
    assert (caught.value.problem_code, caught.value.about["aws_code"]) == ("storage_failed", "NoSuchUpload")


def test_a_null_where_the_contract_has_none_is_named_by_its_place(tmp_path: Path) -> None:
    every = matrix.columns(whole={"nullable": False, "source": "whole_in_postgres"})
    rows = [{"id": "a", "whole": 1}, {"id": "b"}]
    with pytest.raises(UnloadProblem) as caught:
        write(tmp_path / "lost", every, [rows])
    told = caught.value.to_json()
    assert told["message"] == "matrix_row.whole_in_postgres of the row id=b is NULL, and the contract says that it never is"
    assert (told["code"], told["primary_key"]) == ("null_in_not_null", "id=b")


@pytest.mark.parametrize(
    ("name", "value"),
    [("price", "12.345"), ("price", "12345678.90"), ("amount", "no number"), ("created_at", b"1234"), ("ref", b"short")],
)
def test_a_value_that_is_not_of_the_type_is_refused_unseen(tmp_path: Path, name: str, value: Any) -> None:
    with pytest.raises(UnloadProblem) as caught:
        write(tmp_path / "lost", matrix.columns(), [[{"id": "a", name: value}]])
    assert caught.value.problem_code == "copy_failed"
    assert caught.value.message.startswith(f"matrix_row.{name}: Postgres sent a value that is no ")
    assert str(value) not in caught.value.message and caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("created_at", matrix.instant(1_763_856_000_123_000), "2025-11-23T00:00:00.123Z"),
        ("created_at", matrix.instant(-1_000), "1969-12-31T23:59:59.999Z"),
        ("born", matrix.day(-1), "1969-12-31"),
        ("large", -(2**63), str(-(2**63))),
        ("small", -5, "-5"),
        ("is_on", True, "true"),
        ("amount", "-0.0500", "-0.0500"),
        ("name", "🚀", "🚀"),
        ("name", "x" * 257, None),
    ],
)
def test_bounds_of_a_key_are_shown_as_the_manifest_shows_them(tmp_path: Path, name: str, value: Any, text: str | None) -> None:
    facts = write(tmp_path / "file", matrix.columns(), [[{"id": "a"}, {"id": "b", name: value}]], min_key=name)
    assert (facts.min_key, facts.max_key) == (text, text)
