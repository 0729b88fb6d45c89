"""Whether a run is to be loaded, whatever the warehouse is."""

from __future__ import annotations

from dataclasses import dataclass

from rocketgames_glue.job_error import JobError
from rocketgames_glue.statements.warehouse_run import LoadedRun, WarehouseRun, WarehouseTable


@dataclass(frozen=True)
class LoadPolicy:
    """``allow_older``: a run older than the loaded one may replace it. ``reload``: the loaded run is loaded once more."""

    allow_older: bool = False
    reload: bool = False


def load_mode(run: WarehouseRun, loaded: LoadedRun | None, policy: LoadPolicy) -> str | None:
    """``initial``, ``next``, ``older`` or ``again``; None: the run is loaded, there is nothing to do.

    :raises JobError: ``older-run``: the warehouse shows a newer run.
    """
    if loaded is None:
        return "initial"
    if loaded.run_id == run.run_id:
        return "again" if policy.reload else None
    if (run.created_at, run.run_id) > (loaded.created_at, loaded.run_id):
        return "next"
    if policy.allow_older:
        return "older"
    raise JobError(
        "older-run",
        f"The warehouse shows the run {loaded.run_id}, which is newer than {run.run_id}; nothing was changed. "
        "To go back to the older one on purpose give --allow-older",
        run_id=run.run_id,
        loaded_run_id=loaded.run_id,
    )


def require_rows(place: str, found: int, table: WarehouseTable) -> None:
    """
    :param place: the table in the warehouse that was counted.
    :raises JobError: ``rows-differ``.
    """
    if found != table.rows:
        raise JobError(
            "rows-differ",
            f"{place} has {found} rows where the run's manifest says {table.rows}; nothing was changed",
            table=table.name,
            found=found,
            expected=table.rows,
        )
