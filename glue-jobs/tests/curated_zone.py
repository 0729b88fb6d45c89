"""A curated zone of its own for one test: the job on it, and everything that anybody can see of it."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, replace
from typing import Any

from conftest import Aws

from rocketgames_glue.arguments import CurateArguments, S3Address
from rocketgames_glue.io.aws import aws_client
from rocketgames_glue.io.catalogue import Catalogue
from rocketgames_glue.io.curated_runs import CuratedManifest, current_run
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.io.views import Athena
from rocketgames_glue.jobs import curate
from rocketgames_glue.tables import CURATED


@dataclass
class CuratedZone:
    """``run`` runs the job in this process; ``state`` is all that it may not change where it refuses."""

    aws: Aws
    arguments: CurateArguments

    @property
    def bucket(self) -> Bucket:
        return Bucket(aws_client("s3", self.aws.region, self.aws.endpoint_url), self.aws.bucket)

    @property
    def athena(self) -> Athena:
        return Athena(aws_client("athena", self.aws.region, self.aws.endpoint_url), self.arguments.workgroup, str(self.arguments.results))

    @property
    def catalogue(self) -> Catalogue:
        return Catalogue(aws_client("glue", self.aws.region, self.aws.endpoint_url), f"{self.arguments.database}_raw", self.aws.bucket)

    def run(self, **changes: Any) -> None:
        """:raises JobError: why it refused."""
        curate.run(replace(self.arguments, **changes))

    def manifest(self) -> CuratedManifest:
        """Of the committed run."""
        current = current_run(self.bucket)
        assert current is not None, "there is no committed run"
        return current.manifest

    def keys(self) -> list[str]:
        """What lies in the curated zone."""
        return self.aws.keys("curated/") + self.aws.keys("curated-meta/")

    def query(self, sql: str) -> list[list[str | None]]:
        """What an analyst is told."""
        return self.athena.run(sql, "a test's query")

    def counts(self) -> dict[str, int]:
        """The rows that each view shows."""
        names = [each.name for each in self.manifest().tables]
        union = " UNION ALL ".join(f"SELECT '{each}', count(*) FROM {self.arguments.database}.{each}" for each in names)
        return {str(name): int(rows or -1) for name, rows in self.query(union)}

    def expected(self) -> dict[str, int]:
        """The rows that the committed run says."""
        return {each.name: each.rows for each in self.manifest().tables}

    def state(self) -> dict[str, Any]:
        """All objects, uploads and the whole catalogue of this zone."""
        objects = {each.key: (each.size_bytes, each.modified) for each in self.bucket.objects("")}
        uploads = sorted(each.key for each in self.bucket.pending_uploads(""))
        glue = self.aws.client("glue")
        catalogue = {}
        for database in (self.arguments.database, f"{self.arguments.database}_raw"):
            try:
                tables = glue.get_tables(DatabaseName=database)["TableList"]
            except glue.exceptions.EntityNotFoundException:
                catalogue[database] = None
                continue
            catalogue[database] = json.dumps(tables, default=str, sort_keys=True)
            for table in (each for each in tables if each["TableType"] != "VIRTUAL_VIEW"):
                partitions = glue.get_partitions(DatabaseName=database, TableName=table["Name"])["Partitions"]
                catalogue[f"{database}.{table['Name']}"] = json.dumps(partitions, default=str, sort_keys=True)
        return {"objects": objects, "uploads": uploads, "catalogue": catalogue}

    def rows(self) -> dict[str, str]:
        """A digest of each view's rows, in no order: what two runs that should be equal are compared by."""
        return {each.name: self._digest(each.name, [column.name for column in each.columns]) for each in self.manifest().tables}

    def _digest(self, table: str, columns: list[str]) -> str:
        order = ", ".join(str(n + 1) for n in range(len(columns)))
        rows = self.query(f"SELECT {', '.join(columns)} FROM {self.arguments.database}.{table} ORDER BY {order}")
        assert len(rows) < 999, "more rows than one page of a result holds"
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


LIGHT = tuple(each for each in CURATED if each.name in ("dim_studio", "dim_game"))
"""Two tables that need no other one: for tests of how runs come and go, not of what is in them."""
LIGHT_READS = tuple(name for each in LIGHT for name in each.reads)
"""The tables of the lake that these are made of."""


def new_zone(aws: Aws) -> CuratedZone:
    """With names of its own, so that tests may share the endpoints."""
    name = aws.bucket.replace("-", "_")
    aws.client("s3").create_bucket(Bucket=f"results-{aws.bucket}")
    aws.client("athena").create_work_group(
        Name=name, Configuration={"ResultConfiguration": {"OutputLocation": f"s3://results-{aws.bucket}/athena/"}}
    )
    arguments = CurateArguments(
        place=aws.place,
        database=f"curated_{name}"[:60],
        workgroup=name,
        results=S3Address(f"results-{aws.bucket}", "athena/"),
        api_url=None,
        api_key_secret=None,
        api_key_env=None,
        full_rebuild=False,
        lose_history=False,
        small_cell=3,
        keep_runs=3,
    )
    return CuratedZone(aws, arguments)


def wait_until(condition: Any, seconds: float = 120.0) -> None:
    """Looks again until it holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to that in time"
        time.sleep(0.02)
