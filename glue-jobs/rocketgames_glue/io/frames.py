"""The rows of a curated run, out of exactly the files that its manifest names."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructField, StructType

from rocketgames_glue.arguments import Place
from rocketgames_glue.contract import spark_type
from rocketgames_glue.statements.warehouse_run import WarehouseTable


def run_frame(spark: SparkSession, place: Place, table: WarehouseTable) -> DataFrame:
    """All rows of a table, its columns in order. No folder is read, so nothing can come in that no manifest names."""
    schema = StructType([StructField(each.name, spark_type(each.athena_type), True) for each in table.columns])
    if not table.files:
        return spark.createDataFrame([], schema)
    return spark.read.schema(schema).parquet(*(place.uri(file.key) for file in table.files)).select(*table.names)
