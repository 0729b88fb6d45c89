"""Time played a day, from the differences between neighbouring snapshots."""

from __future__ import annotations

from pyspark.sql import DataFrame

from rocketgames_glue.transforms.build import Build


def fact_daily_activity(build: Build) -> DataFrame:
    raise NotImplementedError
