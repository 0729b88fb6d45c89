"""The Spark session of a job: that of AWS Glue, or one of this machine that behaves like it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql import SparkSession

from rocketgames_glue.arguments import Place

S3A = "spark.hadoop.fs.s3a."
SAME_EVERYWHERE: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.compression.codec": "zstd",
    # A cast that fails, an overflow and a division by zero end the job: no NULL in silence.
    "spark.sql.ansi.enabled": "true",
    # What a plan shows of a literal: a key or a password is none, but a log needs no more either.
    "spark.sql.debug.maxToStringFields": "25",
}
"""What decides about values: equal on AWS Glue and anywhere else, set again on a session that is there already."""
ONE_MACHINE: Mapping[str, str] = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.eventLog.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.adaptive.enabled": "true",
}


@dataclass(frozen=True)
class SessionSettings:
    """What a session is made of.

    ``jars`` (S3A, the JDBC driver), ``cores`` and ``memory`` (of the Java heap: ``2g``) hold on one machine only: on AWS Glue the
    job's definition says them. ``conf`` comes last, for tests and measurements.
    """

    name: str
    place: Place | None = None
    jars: tuple[str, ...] = ()
    cores: int = 2
    memory: str = "2g"
    java_options: str = ""
    conf: Mapping[str, str] = field(default_factory=dict)


def session_settings(name: str, place: Place | None = None) -> SessionSettings:
    """Settings of a job by its environment: ``ROCKETGAMES_SPARK_JARS`` (paths with ``:`` between), ``_CORES``, ``_MEMORY``."""
    given = os.environ.get
    return SessionSettings(
        name=name,
        place=place,
        jars=tuple(each for each in given("ROCKETGAMES_SPARK_JARS", "").split(os.pathsep) if each),
        cores=int(given("ROCKETGAMES_SPARK_CORES") or os.cpu_count() or 2),
        memory=given("ROCKETGAMES_SPARK_MEMORY") or "2g",
        java_options=given("ROCKETGAMES_SPARK_JAVA_OPTIONS", ""),
    )


def spark_session(settings: SessionSettings) -> SparkSession:
    """The one session of this process, made or, as on AWS Glue, found. UTC; times and dates as the files have them."""
    on_glue = settings.place is not None and settings.place.on_glue
    builder = SparkSession.builder.appName(settings.name)
    for key, value in settings_of(settings).items():
        builder = builder.config(key, value)
    if not on_glue:
        builder = builder.master(f"local[{settings.cores}]")
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def give_to_executors(spark: SparkSession, file: str | None) -> None:
    """Sends a file of this working folder to the working folders of the executors, where the same name finds it.

    AWS Glue puts ``--extra-files`` beside the script, and promises nothing about other machines. A path with folders is that of every
    machine; a file that is not here is told by whoever opens it.
    """
    if file is not None and os.path.basename(file) == file and os.path.exists(file):
        spark.sparkContext.addFile(os.path.abspath(file))


def settings_of(settings: SessionSettings) -> dict[str, str]:
    """All that is set: on AWS Glue what decides about values alone. Its session and its way to S3 are those of the job's definition."""
    on_glue = settings.place is not None and settings.place.on_glue
    return {**SAME_EVERYWHERE, **({} if on_glue else _one_machine(settings)), **settings.conf}


def _one_machine(settings: SessionSettings) -> dict[str, str]:
    classes = {"spark.driver.extraClassPath": os.pathsep.join(settings.jars)} if settings.jars else {}
    options = {"spark.driver.extraJavaOptions": settings.java_options} if settings.java_options else {}
    parallel = {each: str(settings.cores) for each in ("spark.sql.shuffle.partitions", "spark.default.parallelism")}
    s3a = {} if settings.place is None else _s3a(settings.place)
    return {**ONE_MACHINE, **parallel, "spark.driver.memory": settings.memory, **classes, **options, **s3a}


def _s3a(place: Place) -> dict[str, str]:
    """Hadoop's S3A with its magic committer: tasks upload parts, the job's commit completes them, nothing is ever renamed.

    Credentials come from the environment or the machine's role: never a setting, which plans and pages of Spark would show.
    """
    endpoint = {} if place.endpoint_url is None else _endpoint(place.endpoint_url)
    return {
        **endpoint,
        S3A + "endpoint.region": place.region,
        S3A + "connection.establish.timeout": "5000",
        S3A + "attempts.maximum": "5",
        S3A + "multipart.size": "32M",
        S3A + "fast.upload.buffer": "bytebuffer",
        S3A + "committer.name": "magic",
        S3A + "committer.magic.enabled": "true",
        "spark.sql.sources.commitProtocolClass": "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol",
        "spark.sql.parquet.output.committer.class": "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter",
        "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3a": "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory",
    }


def _endpoint(url: str) -> dict[str, str]:
    return {
        S3A + "endpoint": url,
        S3A + "path.style.access": "true",
        S3A + "connection.ssl.enabled": "true" if url.startswith("https:") else "false",
    }
