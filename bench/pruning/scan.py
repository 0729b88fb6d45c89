"""A Spark that runs one scan after another and tells how many rows its reader decoded; the protocol is that of `test/support/spark.ts`."""

import json
import sys
import traceback

from pyspark.sql import SparkSession

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.sql.session.timeZone": "UTC",
    # The plan that is run is the plan that is asked for its numbers.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
}


def s3a(settings):
    prefix = "spark.hadoop.fs.s3a."
    return {
        prefix + "endpoint": settings["endpoint"],
        prefix + "endpoint.region": settings["region"],
        prefix + "access.key": settings["accessKeyId"],
        prefix + "secret.key": settings["secretAccessKey"],
        prefix + "path.style.access": "true",
        prefix + "connection.ssl.enabled": "false",
        # Columns lie apart in a file: read ranges, and not a little more each time.
        prefix + "experimental.input.fadvise": "random",
        prefix + "readahead.range": "16K",
    }


def decoded(plan):
    """Rows that leave the scan, before the filter above it looks at them."""
    if plan.nodeName().startswith("Scan"):
        return plan.metrics().apply("numOutputRows").value()
    children = plan.children()
    return sum(decoded(children.apply(i)) for i in range(children.size()))


def scan(spark, request):
    spark.conf.set("spark.sql.parquet.filterPushdown", str(request["statistics"]).lower())
    spark.conf.set("parquet.filter.columnindex.enabled", str(request["pageIndex"]).lower())
    frame = spark.read.parquet(*request["files"]).where(request["where"]).selectExpr(*request["select"])
    rows = frame.collect()
    return {"answer": [str(value) for value in rows[0]], "decoded": decoded(frame._jdf.queryExecution().executedPlan())}


def main():
    settings = json.loads(sys.argv[1])
    builder = SparkSession.builder.master("local[2]").appName("rocketgames-pruning")
    for key, value in {**SETTINGS, **settings["spark"], **s3a(settings["s3"])}.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    print(json.dumps({"ready": spark.version}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"id": request["id"], "result": scan(spark, request)}
        except Exception:  # told to the bench, which stops with it
            answer = {"id": request["id"], "error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)
    spark.stop()


main()
