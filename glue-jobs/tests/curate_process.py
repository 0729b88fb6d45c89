"""The curate job in a process of its own that stands still at a named point, so that a test can kill it there.

``curate_process.py <arguments of the job as JSON> <point>``: writes ``at <point>`` to standard output when it stands there; ``start``
is told when Spark is about to begin, without standing still.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from curated_zone import LIGHT

from rocketgames_glue.arguments import curate_arguments
from rocketgames_glue.io.curated_runs import CURRENT_KEY
from rocketgames_glue.io.publication import Publication
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.io.views import Athena
from rocketgames_glue.jobs import curate
from rocketgames_glue.jobs.curated_build import CuratedBuild

BEGUN = False


def stand(point: str) -> None:
    print(f"at {point}", flush=True)
    time.sleep(3_600)


def before(owner: Any, name: str, point: str, when: Callable[..., bool] = lambda *_: True) -> None:
    """Lets the job stand still before a call, once it has begun to write."""
    call = getattr(owner, name)

    def wrapped(*given: Any, **named: Any) -> Any:
        if BEGUN and when(*given):
            stand(point)
        return call(*given, **named)

    setattr(owner, name, wrapped)


POINTS: dict[str, Callable[[], None]] = {
    "after-some-files": lambda: before(CuratedBuild, "write", "after-some-files", lambda build, _: len(build.written) > 0),
    "before-manifest": lambda: before(curate, "commit_run", "before-manifest"),
    "before-current": lambda: before(Bucket, "replace", "before-current", lambda _bucket, key, *_: key == CURRENT_KEY),
    "before-partitions": lambda: before(Publication, "register", "before-partitions"),
    "before-views": lambda: before(Publication, "move", "before-views"),
    "amid-views": lambda: before(Athena, "run", "amid-views", lambda _athena, sql, *_: "VIEW" in sql and ".dim_game " in sql),
    "random": lambda: None,
}


def main(argv: list[str], point: str) -> None:
    curate.CURATED = LIGHT  # type: ignore[misc]
    POINTS[point]()
    write = curate._write_and_commit

    def begun(*given: Any) -> None:
        global BEGUN
        BEGUN = True
        print("at start", flush=True)
        write(*given)

    curate._write_and_commit = begun
    curate.run(curate_arguments(argv))
    print("at end", flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2])
