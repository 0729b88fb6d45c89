"""The curated tables in the Glue catalogue: tables with one partition a run, read by nobody but the views."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from rocketgames_glue.io.aws import error_code
from rocketgames_glue.io.curated_runs import CuratedManifest, RunTable, run_prefix
from rocketgames_glue.io.table_definitions import PARTITION_KEY, Partition, is_registered, table_input, table_update
from rocketgames_glue.job_error import JobError
from rocketgames_glue.job_log import log
from rocketgames_glue.tables import CuratedTable

CREATES_PER_CALL = 100
DELETES_PER_CALL = 25
_TRIES = 6
_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 5.0
_RACED = ("AlreadyExistsException", "ConcurrentModificationException", "VersionMismatchException")

A = TypeVar("A")


@dataclass(frozen=True)
class Catalogue:
    """The Glue database of the tables, ``<curated>_raw``, over one bucket. Every method may be repeated."""

    glue: Any
    database: str
    bucket: str

    def ensure_database(self, name: str, description: str) -> None:
        """Creates a database where there is none; one that exists is left as it is."""
        try:
            self._told("GetDatabase", name, lambda: self.glue.get_database(Name=name))
        except JobError as error:
            if error.facts.get("reason") != "EntityNotFoundException":
                raise
            database = {"Name": name, "Description": description}
            self._told("CreateDatabase", name, lambda: self._unless_there(lambda: self.glue.create_database(DatabaseInput=database)))
            log("catalogue-changed", created=name)

    @staticmethod
    def _unless_there(create: Callable[[], Any]) -> None:
        try:
            create()
        except ClientError as error:
            if error_code(error) != "AlreadyExistsException":
                raise

    def table(self, name: str) -> dict[str, Any] | None:
        """The table as Glue has it; None where there is none."""
        return self._found("GetTable", name, lambda: self.glue.get_table(DatabaseName=self.database, Name=name)["Table"])

    def partition(self, table: str, run_id: str) -> dict[str, Any] | None:
        """The partition of a run as Glue has it; None where there is none."""
        place = {"DatabaseName": self.database, "TableName": table, "PartitionValues": [run_id]}
        return self._found("GetPartition", table, lambda: self.glue.get_partition(**place)["Partition"])

    def ensure_table(self, table: CuratedTable) -> None:
        """Creates a table, or appends the columns that it lacks and brings its words up to date. The version id makes sure that
        nothing that was written in between is lost: the comparison is made again on what is there then.

        :raises JobError: ``catalogue-drift`` when a column of the table has another type.
        """
        for attempt in range(_TRIES):
            try:
                return self._ensure_table_once(table)
            except JobError as error:
                if error.facts.get("reason") not in _RACED or attempt == _TRIES - 1:
                    raise
            _wait(attempt)

    def _ensure_table_once(self, table: CuratedTable) -> None:
        wanted = table_input(table, self.bucket)
        stored = self.table(table.name)
        if stored is None:
            indexes = [{"Keys": [PARTITION_KEY], "IndexName": "run"}]
            place = {"DatabaseName": self.database, "TableInput": wanted, "PartitionIndexes": indexes}
            self._told("CreateTable", table.name, lambda: self.glue.create_table(**place))
            log("catalogue-changed", created=f"{self.database}.{table.name}")
            return
        update = table_update(stored, wanted, table.name)
        if update is None:
            return
        version = {"VersionId": stored["VersionId"]} if stored.get("VersionId") else {}
        place = {"DatabaseName": self.database, "TableInput": update, **version}
        self._told("UpdateTable", table.name, lambda: self.glue.update_table(**place))
        log("catalogue-changed", updated=f"{self.database}.{table.name}")

    def partitions_of(self, manifest: CuratedManifest) -> list[Partition]:
        """The partitions that a run stands for, one a table, in the columns of its files."""
        return [self._partition_of(table, manifest.run_id) for table in manifest.tables]

    def _partition_of(self, table: RunTable, run_id: str) -> Partition:
        return Partition(table.name, run_id, f"s3://{self.bucket}/{run_prefix(table.name, run_id)}", table.columns)

    def register(self, partitions: Sequence[Partition]) -> None:
        """Registers partitions. One that is there already at its location is success; at another one it is moved.

        :raises JobError: ``catalogue-failed`` when an entry keeps failing.
        """
        self._in_batches("BatchCreatePartition", partitions, CREATES_PER_CALL, self._create)

    def _create(self, table: str, entries: Sequence[Partition]) -> dict[Partition, str]:
        place = {"DatabaseName": self.database, "TableName": table}
        answer = self.glue.batch_create_partition(**place, PartitionInputList=[each.input() for each in entries])
        failed = {}
        for entry, code in _errors(entries, answer):
            if code.startswith("AlreadyExists") and self._moved(entry):
                continue
            failed[entry] = code
        return failed

    def _moved(self, partition: Partition) -> bool:
        """True when the existing partition is as it should be, perhaps after this call; False when it is gone again."""
        stored = self.partition(partition.table, partition.run_id)
        if stored is None:
            return False
        if not is_registered(stored, partition):
            place = {"DatabaseName": self.database, "TableName": partition.table, "PartitionValueList": [partition.run_id]}
            self.glue.update_partition(**place, PartitionInput=partition.input())
        return True

    def unregister(self, tables: Sequence[str], run_id: str) -> None:
        """Removes the partitions of a run; one that is not there is success, as is a table that is not."""
        partitions = [Partition(table, run_id, "", ()) for table in tables]
        self._in_batches("BatchDeletePartition", partitions, DELETES_PER_CALL, self._delete)

    def _delete(self, table: str, entries: Sequence[Partition]) -> dict[Partition, str]:
        values = [{"Values": [each.run_id]} for each in entries]
        place = {"DatabaseName": self.database, "TableName": table, "PartitionsToDelete": values}
        try:
            answer = self.glue.batch_delete_partition(**place)
        except ClientError as error:
            if error_code(error) == "EntityNotFoundException":
                return {}
            raise
        return {entry: code for entry, code in _errors(entries, answer) if not code.startswith("EntityNotFound")}

    def _in_batches(
        self,
        operation: str,
        partitions: Sequence[Partition],
        size: int,
        call: Callable[[str, Sequence[Partition]], dict[Partition, str]],
    ) -> None:
        by_table: dict[str, list[Partition]] = {}
        for each in partitions:
            by_table.setdefault(each.table, []).append(each)
        for table, entries in by_table.items():
            for start in range(0, len(entries), size):
                self._in_rounds(operation, table, entries[start : start + size], call)

    def _in_rounds(
        self,
        operation: str,
        table: str,
        entries: Sequence[Partition],
        call: Callable[[str, Sequence[Partition]], dict[Partition, str]],
    ) -> None:
        """Repeats a batch over what is still open, entry by entry, until nothing is or the tries are used up."""
        left: Sequence[Partition] = entries
        codes: list[str] = []
        for attempt in range(_TRIES):
            failed = self._told(operation, table, lambda: call(table, left))
            if not failed:
                return
            left, codes = list(failed), sorted(set(failed.values()))
            _wait(attempt)
        raise JobError(
            "catalogue-failed",
            f"{operation} on {self.database}.{table} keeps failing for {len(left)} of {len(entries)} partitions: {', '.join(codes)}. "
            "The tables are committed and the views show the run before, or this one; run the job again, which goes on from here",
            table=table,
            reason=", ".join(codes),
        )

    def _found(self, operation: str, name: str, call: Callable[[], A]) -> A | None:
        try:
            return self._told(operation, name, call)
        except JobError as error:
            if error.facts.get("reason") == "EntityNotFoundException":
                return None
            raise

    def _told(self, operation: str, name: str, call: Callable[[], A]) -> A:
        try:
            return call()
        except (ClientError, BotoCoreError) as error:
            why = error_code(error) or type(error).__name__
            raise JobError(
                "catalogue-failed",
                f"Glue {operation} of {name} in {self.database} failed with {why} after all tries: look whether the job's role may do that; "
                "then run the job again, which goes on from here",
                operation=operation,
                table=name,
                reason=why,
            ) from error


def _wait(attempt: int) -> None:
    time.sleep(random.uniform(0.5, 1.0) * min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2**attempt))


def _errors(entries: Sequence[Partition], answer: Mapping[str, Any]) -> Iterator[tuple[Partition, str]]:
    by_run = {each.run_id: each for each in entries}
    for error in answer.get("Errors", ()):
        entry = by_run.get((error.get("PartitionValues") or [""])[0])
        if entry is not None:
            yield entry, error.get("ErrorDetail", {}).get("ErrorCode", "unknown")
