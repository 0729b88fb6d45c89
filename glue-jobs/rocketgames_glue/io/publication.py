"""Bringing a committed run before the analysts: tables and partitions in Glue, then the views. May be repeated at any time."""

from __future__ import annotations

from dataclasses import dataclass

from rocketgames_glue.io.catalogue import Catalogue
from rocketgames_glue.io.curated_runs import CURRENT_KEY, CuratedManifest, current_run, mark_published
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.io.table_definitions import is_registered
from rocketgames_glue.io.views import Athena, check_counts, move_views, same_select, stored_views, table_select, views_of
from rocketgames_glue.job_error import JobError
from rocketgames_glue.job_log import log
from rocketgames_glue.tables import CuratedTable

_ROUNDS = 5


@dataclass(frozen=True)
class Publication:
    """The views of database ``database`` over the tables of ``<database>_raw``."""

    bucket: Bucket
    catalogue: Catalogue
    athena: Athena
    database: str
    tables: tuple[CuratedTable, ...]

    def publish_current(self) -> None:
        """Makes partitions and views those of the run that CURRENT.json names, whoever committed it; nothing where nothing differs.

        It looks at the pointer again afterwards: of two jobs that publish at once each ends with what is committed last.

        :raises JobError: what went wrong in Glue or Athena; the tables are committed, and the next run goes on from here.
        """
        for _ in range(_ROUNDS):
            current = current_run(self.bucket)
            if current is None:
                return
            self.publish(current.manifest)
            pointer = self.bucket.read(CURRENT_KEY)
            if pointer is not None and pointer.etag == current.etag:
                return
        raise JobError("lost-race", f"{_ROUNDS} other runs were committed while the views moved: let one job run at a time")

    def publish(self, manifest: CuratedManifest) -> None:
        """Partitions first, then the counts that the views are going to show, then the views, then the counts that they do show."""
        if self.register(manifest) or self._views_left(manifest):
            sources = {each.name: f"({table_select(each, manifest.run_id, self.catalogue.database)}) AS v" for each in manifest.tables}
            self._count(manifest, sources)
            self.move(manifest)
            self._count(manifest, {each.name: f"{self.database}.{each.name}" for each in manifest.tables})
            log("published", run_id=manifest.run_id)
        mark_published(self.bucket, manifest.run_id)

    def register(self, manifest: CuratedManifest) -> bool:
        """Databases, tables and this run's partitions. True when a partition was not as it should be."""
        self.catalogue.ensure_database(self.catalogue.database, "Tables of what jobs derive from the lake; read the views")
        self.catalogue.ensure_database(self.database, "Views of what jobs derive from the lake")
        for table in self.tables:
            self.catalogue.ensure_table(table)
        left = []
        for partition in self.catalogue.partitions_of(manifest):
            stored = self.catalogue.partition(partition.table, partition.run_id)
            if stored is None or not is_registered(stored, partition):
                left.append(partition)
        self.catalogue.register(left)
        return bool(left)

    def _views_left(self, manifest: CuratedManifest) -> bool:
        stored = stored_views(self.catalogue.glue, self.database)
        return any(not same_select(stored.get(each.name, ""), each.body) for each in views_of(manifest, self.catalogue.database))

    def move(self, manifest: CuratedManifest) -> None:
        """Moves the views to a run whose partitions are registered."""
        stored = stored_views(self.catalogue.glue, self.database)
        move_views(self.athena, self.database, views_of(manifest, self.catalogue.database), stored)

    def _count(self, manifest: CuratedManifest, sources: dict[str, str]) -> None:
        try:
            check_counts(self.athena, sources, {each.name: each.rows for each in manifest.tables})
        except JobError as error:
            # Another run's views, moved meanwhile: publish_current looks at the pointer and begins again.
            pointer = current_run(self.bucket)
            if error.code != "smoke-mismatch" or pointer is None or pointer.manifest.run_id == manifest.run_id:
                raise
