"""The Glue tables of the curated zone, on the real local catalogue; holds, on a small API that answers as the service does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from conftest import Aws
from curated_zone import LIGHT, CuratedZone, new_zone

from rocketgames_glue.io import catalogue, holds
from rocketgames_glue.io.curated_runs import RunColumn
from rocketgames_glue.io.table_definitions import Partition, is_registered
from rocketgames_glue.io.holds import HoldsApi, held
from rocketgames_glue.io.views import same_select
from rocketgames_glue.job_error import JobError
from rocketgames_glue.tables import CURATED

TABLE = LIGHT[0]


@pytest.fixture
def zone(aws: Aws) -> Iterator[CuratedZone]:
    zone = new_zone(aws)
    zone.catalogue.ensure_database(zone.catalogue.database, "A test's")
    yield zone


def test_a_table_is_in_glue_as_the_services_own_tables_are_with_words_for_every_column(zone: CuratedZone) -> None:
    for table in CURATED:
        zone.catalogue.ensure_table(table)
        stored = zone.catalogue.table(table.name)
        assert stored is not None
        assert stored["Parameters"].items() >= {"EXTERNAL": "TRUE", "classification": "parquet", "compressionType": "none"}.items()
        assert table.description in stored["Description"] and len(stored["Description"]) <= 2_048
        columns = stored["StorageDescriptor"]["Columns"]
        assert [(each["Name"], each["Type"]) for each in columns] == [(each.name, each.athena_type) for each in table.columns]
        assert all(0 < len(each["Comment"]) <= 255 for each in columns)
        assert [each["Name"] for each in stored["PartitionKeys"]] == ["run_id"]


def test_a_column_that_is_added_later_is_appended_and_nothing_else_changes_until_words_do(zone: CuratedZone) -> None:
    older = replace(TABLE, columns=TABLE.columns[:-1])
    zone.catalogue.ensure_table(older)
    zone.catalogue.ensure_table(TABLE)
    stored = zone.catalogue.table(TABLE.name)
    assert stored is not None
    assert [each["Name"] for each in stored["StorageDescriptor"]["Columns"]] == [each.name for each in TABLE.columns]
    zone.catalogue.ensure_table(TABLE)
    assert zone.catalogue.table(TABLE.name) == stored, "nothing to do is nothing done"
    zone.catalogue.ensure_table(older)
    assert zone.catalogue.table(TABLE.name) == stored, "an older job removes no column"
    zone.catalogue.ensure_table(replace(TABLE, description="Other words"))
    described = zone.catalogue.table(TABLE.name)
    assert described is not None and described["Description"].startswith("Other words.")


def test_a_type_that_somebody_changed_in_glue_is_drift_and_is_not_put_right_in_silence(zone: CuratedZone) -> None:
    other = tuple(replace(each, athena_type="bigint") if each.athena_type == "string" else each for each in TABLE.columns)
    zone.catalogue.ensure_table(replace(TABLE, columns=other))
    with pytest.raises(JobError) as raised:
        zone.catalogue.ensure_table(TABLE)
    assert raised.value.code == "catalogue-drift"


def _partitions(zone: CuratedZone, count: int) -> list[Partition]:
    runs = [f"20261101t000000z-{number:08d}" for number in range(count)]
    return [Partition(TABLE.name, run, f"s3://{zone.aws.bucket}/curated/v1/{TABLE.name}/run_id={run}/", (RunColumn("a", "string"),)) for run in runs]


def test_more_partitions_than_one_call_takes_are_registered_and_removed_and_a_wrong_place_is_put_right(zone: CuratedZone) -> None:
    zone.catalogue.ensure_table(TABLE)
    every = _partitions(zone, catalogue.CREATES_PER_CALL + 5)
    zone.catalogue.register([replace(every[0], location="s3://elsewhere/")])
    zone.catalogue.register(every)
    assert all(is_registered(zone.catalogue.partition(each.table, each.run_id) or {}, each) for each in (every[0], every[-1]))
    for each in every:
        zone.catalogue.unregister([TABLE.name, "a_table_that_is_not_there"], each.run_id)
    assert zone.catalogue.partition(TABLE.name, every[0].run_id) is None


def test_an_answer_of_200_whose_entries_failed_has_not_done_its_work(zone: CuratedZone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "_FIRST_WAIT_SECONDS", 0.001)
    zone.catalogue.ensure_table(TABLE)
    create, asked = zone.catalogue.glue.batch_create_partition, []

    def failing(times: int) -> Callable[..., Any]:
        def call(**given: Any) -> Any:
            asked.append(len(given["PartitionInputList"]))
            if len(asked) > times:
                return create(**given)
            create(**{**given, "PartitionInputList": given["PartitionInputList"][1:]}) if len(given["PartitionInputList"]) > 1 else None
            values = given["PartitionInputList"][0]["Values"]
            return {"Errors": [{"PartitionValues": values, "ErrorDetail": {"ErrorCode": "InternalServiceException"}}]}

        return call

    first, second, third = _partitions(zone, 3)
    monkeypatch.setattr(zone.catalogue.glue, "batch_create_partition", failing(2))
    zone.catalogue.register([first, second])
    assert asked == [2, 1, 1], "only what has failed is sent again"
    assert zone.catalogue.partition(TABLE.name, first.run_id) is not None
    asked.clear()
    monkeypatch.setattr(zone.catalogue.glue, "batch_create_partition", failing(1_000))
    with pytest.raises(JobError) as raised:
        zone.catalogue.register([third])
    assert raised.value.code == "catalogue-failed" and "InternalServiceException" in raised.value.message


def test_a_view_as_athena_prints_it_is_the_view_that_was_sent() -> None:
    ours = "SELECT a, b\nFROM raw.t\nWHERE run_id = 'x y'"
    assert same_select(ours, 'SELECT\n  "a"\n, b\nFROM\n  awsdatacatalog."raw"."t"\nWHERE (run_id = \'x y\')')
    assert not same_select(ours, ours.replace("x y", "x  y"))
    assert not same_select(ours, ours.replace("a, b", "a"))
    assert not same_select(ours, "")


class _Api:
    """Answers as the service does. ``statuses`` are the answers to holds, in their order."""

    def __init__(self, statuses: list[int]) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                api.calls.append((self.command, self.path, json.loads(body) if body else None))
                assert self.headers["Authorization"] == "Bearer the-key"
                status = (statuses.pop(0) if len(statuses) > 1 else statuses[0]) if self.command == "POST" else 204
                self.send_response(status)
                self.end_headers()
                self.wfile.write(b'{"id":"the-hold"}' if status == 201 else b"")

            do_POST = do_DELETE = _answer  # noqa: N815 - names of the library

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def holds(self) -> HoldsApi:
        return HoldsApi(f"http://127.0.0.1:{self.server.server_port}", "the-key")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., _Api]]:
    monkeypatch.setattr(holds, "_FIRST_WAIT_SECONDS", 0.001)
    made = []

    def make(*statuses: int) -> _Api:
        made.append(_Api(list(statuses)))
        return made[-1]

    yield make
    for each in made:
        each.server.shutdown()
        each.server.server_close()


def test_snapshots_are_held_while_they_are_read_and_let_go_whatever_happens(api: Callable[..., _Api]) -> None:
    service = api(201)
    with pytest.raises(RuntimeError), held(service.holds(), ["s1", "s2"]) as readable:
        assert readable == {"s1", "s2"}
        raise RuntimeError
    ways = [(method, path) for method, path, _ in service.calls]
    assert ways == [
        ("POST", "/v1/lake/snapshots/s1/holds"),
        ("POST", "/v1/lake/snapshots/s2/holds"),
        ("DELETE", "/v1/lake/snapshots/s1/holds/the-hold"),
        ("DELETE", "/v1/lake/snapshots/s2/holds/the-hold"),
    ]
    assert service.calls[0][2].keys() == {"holder", "reason", "expiresAt"}


def test_a_snapshot_whose_hold_is_refused_is_left_out(api: Callable[..., _Api]) -> None:
    with held(api(409, 201).holds(), ["retiring", "live"]) as readable:
        assert readable == {"live"}


def test_one_that_is_too_old_for_a_long_hold_is_held_for_a_short_time_or_left_out(api: Callable[..., _Api]) -> None:
    with held(api(422, 201).holds(), ["old"]) as readable:
        assert readable == {"old"}
    with held(api(422, 422).holds(), ["older"]) as readable:
        assert readable == frozenset()


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_an_api_that_gives_no_clear_answer_stops_the_job_and_what_was_held_is_let_go(api: Callable[..., _Api], status: int) -> None:
    service = api(201, status)
    with pytest.raises(JobError) as raised, held(service.holds(), ["s1", "s2"]):
        pass
    assert raised.value.code == "holds-failed" and "the-key" not in raised.value.message
    assert service.calls[-1][0] == "DELETE"


def test_an_api_that_is_busy_is_asked_again_and_one_that_is_away_is_told(api: Callable[..., _Api]) -> None:
    with held(api(503, 429, 201).holds(), ["s1"]) as readable:
        assert readable == {"s1"}
    with pytest.raises(JobError) as raised, held(HoldsApi("http://127.0.0.1:1", "the-key"), ["s1"]):
        pass
    assert raised.value.code == "holds-failed"
