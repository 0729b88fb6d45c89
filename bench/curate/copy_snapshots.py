"""What reading and writing alone cost: the tables of all committed snapshots, read and written again by the same Spark in the same settings."""

from __future__ import annotations

import sys

from rocketgames_glue.arguments import Place
from rocketgames_glue.contract import load_contract
from rocketgames_glue.io.aws import aws_client
from rocketgames_glue.io.curated_tables import file_sizing
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.io.snapshot_files import read_raw
from rocketgames_glue.io.snapshot_sources import sources
from rocketgames_glue.io.snapshots import read_manifest, snapshot_ids
from rocketgames_glue.session import session_settings, spark_session

TABLES = ("players", "studios", "games", "player_games")


def copy(place: Place) -> None:
    """Writes below ``copy/`` of the bucket."""
    bucket = Bucket(aws_client("s3", place.region, place.endpoint_url), place.bucket)
    spark = spark_session(session_settings("copy", place))
    for key, value in file_sizing(0, spark.sparkContext.defaultParallelism).items():
        spark.conf.set(key, value)
    for snapshot_id in snapshot_ids(bucket):
        manifest = read_manifest(bucket, snapshot_id)
        if manifest is None:
            raise SystemExit(f"{snapshot_id} is gone")
        for name, source in sources(manifest, load_contract(), TABLES).items():
            target = place.uri(f"copy/{name}/{snapshot_id}")
            read_raw(spark, place.uri(""), source).write.mode("overwrite").option("compression", "zstd").parquet(target)


if __name__ == "__main__":
    copy(Place(bucket=sys.argv[1], region=sys.argv[2], endpoint_url=sys.argv[3], on_glue=False))
