"""What one Spark task does: the rows of one range become one file, in the parts of the upload that the service began for it.

A task that Spark repeats sends the same part numbers of the same upload again: what it sends replaces what was there. Should a task that
was thought dead still send a part afterwards, that part is not the reported one, and the service's commit refuses it.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa

from rocketgames_glue.arguments import Place
from rocketgames_glue.io.aws import aws_client
from rocketgames_glue.io.parts import UploadParts
from rocketgames_glue.io.secrets import environment_secret, secret_text
from rocketgames_glue.job_error import JobError, UsageError
from rocketgames_glue.unload.encode import RangeFile
from rocketgames_glue.unload.facts import file_report
from rocketgames_glue.unload.plan import Encoding, PlanRange, PlanTable
from rocketgames_glue.unload.problems import UnloadProblem
from rocketgames_glue.unload.pseudonyms import Pseudonyms, pseudonyms

OUTCOME = "outcome string"
"""The schema of what a task answers: one row with JSON."""
_REPEATED = frozenset({"storage_failed"})
"""What another attempt may do better."""


@dataclass(frozen=True)
class KeySource:
    """Where an executor finds the pseudonym key. The key itself is in no plan, no task and no log."""

    variable: str | None
    secret_id: str | None

    def pseudonyms(self, place: Place) -> Pseudonyms:
        """:raises JobError: there is no key, or none of its form; it is not shown."""
        text = self._text(place)
        try:
            return pseudonyms(text)
        except ValueError as error:
            raise UsageError(f"{self.variable or self.secret_id}: {error}") from None

    def _text(self, place: Place) -> str:
        if self.variable is not None:
            return environment_secret(self.variable)
        client = aws_client("secretsmanager", place.region, place.endpoint_url)
        return secret_text(client, self.secret_id or "")


@dataclass(frozen=True)
class RangeTask:
    """Everything that a task needs, and no secret."""

    place: Place
    table: PlanTable
    part: PlanRange
    encoding: Encoding
    metadata: Mapping[str, str]
    key: KeySource

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """For ``mapInArrow``: reads all rows, answers once."""
        yield pa.RecordBatch.from_pydict({"outcome": [json.dumps(self._outcome(batches))]})

    def _outcome(self, batches: Iterable[pa.RecordBatch]) -> dict[str, Any]:
        try:
            return {"file": self._write(batches)}
        except UnloadProblem as problem:
            if problem.problem_code in _REPEATED and problem.about.get("aws_code") != "NoSuchUpload":
                raise RuntimeError(problem.marked()) from None
            # Another attempt would meet the same: told as an answer, Spark does not make any.
            return {"problem": problem.to_driver()}
        except JobError as error:
            # Of a secret, as a rule: its words have no value.
            raise RuntimeError(self._failed(error.message).marked()) from None
        except Exception as error:
            raise RuntimeError(self._unexpected(error)) from None

    def _unexpected(self, error: Exception) -> str:
        """The kind of an error and its place in the program. Its text might have a value."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
        return self._failed(f"{type(error).__name__}{place}").marked()

    def _failed(self, why: str) -> UnloadProblem:
        message = f"{self.table.name}, range {self.part.number}: {why}"
        return UnloadProblem("spark_failed", message, table=self.table.table, range=self.part.number)

    def _write(self, batches: Iterable[pa.RecordBatch]) -> dict[str, Any]:
        client = _storage(self.place)
        encoding, part = self.encoding, self.part
        output = UploadParts(client, self.place.bucket, part.key, part.upload_id, encoding.part_bytes, encoding.most_parts)
        try:
            file = RangeFile(self.table, encoding, self.metadata, _pseudonyms(self.key, self.place), output)
            rows_read = 0
            for batch in batches:
                rows_read += batch.num_rows
                file.append(batch)
            encoded = file.close()
            uploaded = output.finish()
        finally:
            output.cancel()
        if encoded.rows != rows_read:
            raise UnloadProblem("count_mismatch", f"{part.key}: {rows_read} rows were read, {encoded.rows} written", table=self.table.table)
        return {"rows_read": rows_read, **file_report(part.number, part.key, part.upload_id, encoded, uploaded)}


@cache
def _storage(place: Place) -> Any:
    """Once for each worker process."""
    return aws_client("s3", place.region, place.endpoint_url)


@cache
def _pseudonyms(key: KeySource, place: Place) -> Pseudonyms:
    """Once for each worker process."""
    return key.pseudonyms(place)
