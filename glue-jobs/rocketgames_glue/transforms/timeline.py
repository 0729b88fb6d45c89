"""The instants of a run: which snapshot speaks for each, and what lies before and after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rocketgames_glue.transforms.build import Build, Snapshot


@dataclass(frozen=True)
class Timeline:
    """
    Of snapshots with the same `taken_at` the one with the highest sequence speaks for the instant, the others say nothing.

    `former`: instants of the former table, ascending. `new`: snapshots that speak and are new, ascending. `newest` speaks last.
    """

    former: tuple[datetime, ...]
    new: tuple[Snapshot, ...]
    newest: Snapshot

    @staticmethod
    def of(build: Build) -> Timeline:
        speaking: dict[datetime, Snapshot] = {}
        for snapshot in sorted((*build.included, *build.new), key=lambda each: (each.taken_at, each.sequence)):
            speaking[snapshot.taken_at] = snapshot
        new = tuple(each for each in speaking.values() if each in build.new)
        former = sorted({each.taken_at for each in build.included})
        return Timeline(tuple(former), new, speaking[max(speaking)])

    @property
    def instants(self) -> tuple[datetime, ...]:
        """All of them, ascending."""
        return tuple(sorted({*self.former, *(each.taken_at for each in self.new)}))

    @property
    def is_in_order(self) -> bool:
        """Every new snapshot is later than every former one, and there are former ones."""
        return bool(self.former and self.new) and self.former[-1] < self.new[0].taken_at

    def following(self, instant: datetime) -> datetime | None:
        """The next instant, whether of a former or of a new snapshot."""
        return min((each for each in self.instants if each > instant), default=None)

    @property
    def reasserted(self) -> tuple[datetime, ...]:
        """
        Former instants that follow a new one directly. The former table may hold no version that begins there, because nothing had
        changed since the former instant before; now the new snapshot stands between the two.
        """
        silent = {each.taken_at for each in self.new}
        following = {self.following(each) for each in silent}
        return tuple(sorted(each for each in following if each is not None and each not in silent))
