"""Which tables of a snapshot a job reads, and whether its contract knows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rocketgames_glue.contract import Contract, ContractTable
from rocketgames_glue.io.snapshots import RawManifest, RawTable
from rocketgames_glue.job_error import JobError


@dataclass(frozen=True)
class RawSource:
    """The table of one snapshot that a job reads, and the contract in whose columns it wants it."""

    table: RawTable
    contract: ContractTable


def sources(manifest: RawManifest, contract: Contract, tables: Iterable[str]) -> dict[str, RawSource]:
    """The tables of a snapshot that a job reads, by lake table.

    Columns that were appended to the contract since are absent from the files and read as NULL; a snapshot that holds an earlier
    version of a table alone is read in the types of the current one.

    :raises JobError: ``contract-newer``, ``column-missing``, ``contract-conflict``, ``table-missing``.
    """
    found = {}
    for name in tables:
        current = contract.tables[name]
        table = _held_version(manifest, current)
        _check_columns(manifest, table, current)
        found[name] = RawSource(table, current)
    return found


def _held_version(manifest: RawManifest, current: ContractTable) -> RawTable:
    """The newest version that the snapshot holds and this job knows."""
    pattern = re.compile(re.escape(current.lake_table) + r"(_v\d+)?")
    held = sorted((each for each in manifest.tables.values() if pattern.fullmatch(each.name)), key=lambda each: each.contract_version)
    known = [each for each in held if each.contract_version <= current.version]
    if known:
        return known[-1]
    if held:
        raise _contract_newer(manifest, f"{current.lake_table} in version {held[0].contract_version}, this job knows {current.version}")
    raise JobError(
        "table-missing",
        f"Snapshot {manifest.snapshot_id} has no table {current.lake_table}, which this job reads. Nothing was written",
        snapshot_id=manifest.snapshot_id,
        table=current.lake_table,
    )


def _check_columns(manifest: RawManifest, table: RawTable, current: ContractTable) -> None:
    if table.contract_version != current.version:
        wanted = {each.name for each in current.columns if each.name in current.primary_key}
        missing = sorted(wanted - {each.name for each in table.columns})
        if missing:
            raise _column_missing(manifest, table, missing)
        return
    known = [each.name for each in current.columns]
    given = [each.name for each in table.columns]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise _contract_newer(manifest, f"{table.name} with the columns {', '.join(unknown)}, which this job does not know")
    # Within a version columns are only ever appended, so what an older snapshot lacks is the end of the list.
    missing = [name for name in known[: len(given)] if name not in given]
    if missing or not given:
        raise _column_missing(manifest, table, missing or known)
    for column in table.columns:
        expected = current.column(column.name)
        if (column.athena_type, column.action) != (expected.athena_type, expected.action):
            raise JobError(
                "contract-conflict",
                f"Snapshot {manifest.snapshot_id} has {table.name}.{column.name} as {column.athena_type} ({column.action}), the contract "
                f"of this job as {expected.athena_type} ({expected.action}). Nothing was written; run the job in the release of the service",
                snapshot_id=manifest.snapshot_id,
                table=table.name,
                column=column.name,
            )


def _contract_newer(manifest: RawManifest, what: str) -> JobError:
    return JobError(
        "contract-newer",
        f"Snapshot {manifest.snapshot_id} has {what}. Nothing was written; deploy the jobs in the release of the service that took it",
        snapshot_id=manifest.snapshot_id,
    )


def _column_missing(manifest: RawManifest, table: RawTable, missing: Sequence[str]) -> JobError:
    return JobError(
        "column-missing",
        f"Snapshot {manifest.snapshot_id} lacks columns of {table.name} that the job needs: {', '.join(missing)}. Nothing was written",
        snapshot_id=manifest.snapshot_id,
        table=table.name,
        columns=list(missing),
    )
