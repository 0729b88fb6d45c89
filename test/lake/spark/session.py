"""One Spark session for a whole test file: a JSON request a line on standard input, a JSON answer a line on standard output.

Analysts' and jobs' Spark as Glue 5 has it (Spark 3.5.4, hadoop-aws 3.3.4), with settings for a small machine. The S3 endpoint is a
real one for Spark: nothing of S3A is replaced.
"""

import hashlib
import json
import sys
import traceback
from decimal import Context, Decimal

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

SMALL = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    # One split a file, so that its rows stay in order.
    "spark.sql.files.minPartitionNum": "1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
}


def s3a(settings):
    """S3A as the jobs use it, pointed at the endpoint of the test."""
    prefix = "spark.hadoop.fs.s3a."
    return {
        prefix + "endpoint": settings["endpoint"],
        prefix + "endpoint.region": settings["region"],
        prefix + "access.key": settings["accessKeyId"],
        prefix + "secret.key": settings["secretAccessKey"],
        prefix + "path.style.access": "true",
        prefix + "connection.ssl.enabled": "false",
        prefix + "connection.establish.timeout": "5000",
        prefix + "attempts.maximum": "3",
        # The smallest that S3 takes: a test's file is several parts.
        prefix + "multipart.size": "5M",
        prefix + "fast.upload.buffer": "bytebuffer",
        prefix + "committer.name": "magic",
        prefix + "committer.magic.enabled": "true",
        "spark.sql.sources.commitProtocolClass": "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol",
        "spark.sql.parquet.output.committer.class": "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter",
        "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3a": "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory",
    }


WIDE = Context(prec=76)


def canonical(value, data_type=None):
    """As the test writes what Postgres says."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        # PySpark hands small ones on with digits that they do not have: 1.00E-10 for 1E-10.
        exact = value.quantize(Decimal(1).scaleb(-data_type.scale), context=WIDE)
        assert exact == value, value
        return format(exact, "f")
    return str(value)


def texts(frame):
    """Rows as the test writes what Postgres says, times and dates as the numbers that the file holds."""
    expressions = []
    for field in frame.schema.fields:
        column = F.col(field.name)
        if isinstance(field.dataType, T.TimestampType):
            column = F.unix_micros(column)
        elif isinstance(field.dataType, T.DateType):
            column = F.unix_date(column)
        expressions.append(column.alias(field.name))
    plain = frame.select(*expressions)
    types = [field.dataType for field in plain.schema.fields]
    return [[None if v is None else canonical(v, t) for v, t in zip(row, types)] for row in plain.collect()]


def digests(frame):
    """Rows and one SHA-256 a column over all its values in the order of the file: megabytes need not travel."""
    rows = texts(frame)
    hashes = {name: hashlib.sha256() for name in frame.columns}
    for row in rows:
        for name, value in zip(frame.columns, row):
            raw = None if value is None else value.encode()
            hashes[name].update(b"N" if raw is None else b"%d:" % len(raw) + raw)
    return {
        "rows": len(rows),
        "types": {field.name: field.dataType.simpleString() for field in frame.schema.fields},
        "columns": {name: digest.hexdigest() for name, digest in hashes.items()},
    }


def read_files(spark, request):
    """Each file by itself: the order of its rows is kept by one partition."""
    return {path: digests(spark.read.parquet(path).coalesce(1)) for path in request["files"]}


def manifest_table(spark, request, name):
    """A table as a job reads it: exactly the files of the manifest, with the columns that only the folder has."""
    manifest = json.loads("\n".join(row.value for row in spark.read.text(request["manifest"], wholetext=True).collect()))
    table = next(each for each in manifest["tables"] if each["name"] == name)
    root = request["manifest"].split("/lake-meta/")[0]
    schema = ", ".join("`%s` %s" % (each["name"], each["athena_type"]) for each in table["columns"])
    frame = spark.read.schema(schema).parquet(*["%s/%s" % (root, each["key"]) for each in table["files"]])
    return frame.withColumn("snapshot_id", F.lit(manifest["snapshot_id"])), table["rows"]


def read_manifest(spark, request):
    """Each table: its rows as texts, in no order."""
    tables = {}
    for name in request["tables"]:
        frame, expected = manifest_table(spark, request, name)
        tables[name] = {"expected": expected, "rows": texts(frame.drop("snapshot_id"))}
    return tables


def query(spark, request):
    """SQL over views of a manifest's tables."""
    for name in request["tables"]:
        manifest_table(spark, request, name)[0].createOrReplaceTempView(name)
    return texts(spark.sql(request["sql"]))


def write_curated(spark, request):
    """A table of the curated zone, by the magic committer: tasks upload parts, and the job's commit completes them."""
    frame = spark.range(request["rows"]).select(
        F.col("id"), F.sha2(F.col("id").cast("string"), 256).alias("text"), (F.col("id") % 3).alias("shard")
    )
    frame.repartition(2).write.partitionBy("shard").mode("errorifexists").parquet(request["path"])
    hadoop = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(request["path"] + "/_SUCCESS")
    stream = hadoop.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()).open(hadoop)
    success = json.loads(spark.sparkContext._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))
    stream.close()
    back = spark.read.parquet(request["path"])
    return {
        "committer": success["committer"],
        "files": len(success["filenames"]),
        "rows": back.count(),
        "sum": back.agg(F.sum("id")).first()[0],
        "partitions": sorted(row.shard for row in back.select("shard").distinct().collect()),
    }


def open_object(spark, request):
    """A stream on an object, with S3A's default detection of changes; `read_on` reads the rest of it."""
    path = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(request["path"])
    filesystem = path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
    OPEN[request["path"]] = stream = filesystem.open(path)
    return stream.read()


def read_on(spark, request):
    """Away from where the stream stands, so that S3A asks again, under the ETag that it saw first."""
    stream = OPEN[request["path"]]
    stream.seek(request["offset"])
    return stream.read()


OPEN = {}
COMMANDS = {each.__name__: each for each in (read_files, read_manifest, query, write_curated, open_object, read_on)}


def main():
    settings = json.loads(sys.argv[1])
    builder = SparkSession.builder.master("local[2]").appName("rocketgames-test")
    for key, value in {**SMALL, **settings.get("spark", {}), **(s3a(settings["s3"]) if "s3" in settings else {})}.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    print(json.dumps({"ready": spark.version}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"id": request["id"], "result": COMMANDS[request["command"]](spark, request)}
        except Exception:  # told to the test, which fails with it
            answer = {"id": request["id"], "error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)
    spark.stop()


main()
