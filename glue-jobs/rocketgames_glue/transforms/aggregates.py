"""Daily numbers for everybody, without cells so small that they tell of single persons."""

from __future__ import annotations

from pyspark.sql import DataFrame

from rocketgames_glue.transforms.build import Build


def agg_registrations_daily(build: Build) -> DataFrame:
    raise NotImplementedError


def agg_studio_daily(build: Build) -> DataFrame:
    raise NotImplementedError
