"""Curated tables and their partitions as Glue is told of them: what it stores, and whether that is as it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rocketgames_glue.io.curated_runs import RunColumn, table_prefix
from rocketgames_glue.job_error import JobError
from rocketgames_glue.tables import CuratedColumn, CuratedTable

PARTITION_KEY = "run_id"
_INPUT_FORMAT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
_OUTPUT_FORMAT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
_FILES = {"classification": "parquet", "typeOfData": "file", "compressionType": "none"}
"""As the service's own tables have them: without ``compressionType`` a crawler marks a table deprecated."""
_COMMENT_CHARACTERS = 255
_DESCRIPTION_CHARACTERS = 2_048


@dataclass(frozen=True)
class Partition:
    """One run's partition of one table."""

    table: str
    run_id: str
    location: str
    columns: tuple[RunColumn, ...]

    def input(self) -> dict[str, Any]:
        """As BatchCreatePartition takes it."""
        return {
            "Values": [self.run_id],
            "StorageDescriptor": _descriptor(self.location, [{"Name": each.name, "Type": each.type} for each in self.columns]),
            "Parameters": dict(_FILES),
        }


def is_registered(stored: Mapping[str, Any], wanted: Partition) -> bool:
    """Does a partition of Glue show this run's files, in their columns?"""
    descriptor = stored.get("StorageDescriptor", {})
    columns = [(each["Name"], _plain_type(each["Type"])) for each in descriptor.get("Columns", ())]
    expected = [(each.name, _plain_type(each.type)) for each in wanted.columns]
    return descriptor.get("Location", "").rstrip("/") == wanted.location.rstrip("/") and columns == expected


def _plain_type(text: str) -> str:
    return "".join(text.lower().split())


def _fitted(text: str, characters: int) -> str:
    """A text as Glue takes it: one line, cut at a word where it is too long."""
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 2].rsplit(" ", 1)[0] + " …"


def _column(column: CuratedColumn) -> dict[str, str]:
    return {"Name": column.name, "Type": column.athena_type, "Comment": _fitted(column.comment, _COMMENT_CHARACTERS)}


def _descriptor(location: str, columns: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return {
        "Columns": [dict(each) for each in columns],
        "Location": location,
        "InputFormat": _INPUT_FORMAT,
        "OutputFormat": _OUTPUT_FORMAT,
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {"SerializationLibrary": _SERDE, "Parameters": {"serialization.format": "1"}},
        "StoredAsSubDirectories": False,
    }


def table_input(table: CuratedTable, bucket: str) -> dict[str, Any]:
    """The Glue table of a curated table, as CreateTable takes it."""
    words = f"{table.description}. {table.grain}. One partition a run; query the view {table.name}."
    return {
        "Name": table.name,
        "Description": _fitted(words, _DESCRIPTION_CHARACTERS),
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", **_FILES, "partition_filtering.enabled": "true"},
        "PartitionKeys": [{"Name": PARTITION_KEY, "Type": "string", "Comment": "The run of the job that made the rows"}],
        "StorageDescriptor": _descriptor(f"s3://{bucket}/{table_prefix(table.name)}", [_column(each) for each in table.columns]),
    }


_KEPT = ("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")


def table_update(stored: Mapping[str, Any], wanted: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """All that UpdateTable replaces, with columns appended and words renewed; None when nothing is to be done. Columns are never removed."""
    ours = {each["Name"]: each for each in wanted["StorageDescriptor"]["Columns"]}
    columns = []
    for column in stored["StorageDescriptor"].get("Columns", ()):
        own = ours.pop(column["Name"], None)
        if own is not None and _plain_type(own["Type"]) != _plain_type(column["Type"]):
            raise JobError(
                "catalogue-drift",
                f"Glue has {name}.{column['Name']} as {column['Type']}, the files as {own['Type']}: queries would answer wrongly. "
                "The views stay where they are; put the type right in Glue, or drop the table there, and run the job again",
                table=name,
                column=column["Name"],
            )
        columns.append({**column, "Comment": own["Comment"]} if own else column)
    columns += ours.values()
    parameters = {**stored.get("Parameters", {}), **wanted["Parameters"]}
    location = wanted["StorageDescriptor"]["Location"]
    descriptor = {**stored["StorageDescriptor"], "Columns": columns, "Location": location}
    update = {**{each: stored[each] for each in _KEPT if each in stored}, "StorageDescriptor": descriptor}
    update |= {"Description": wanted["Description"], "Parameters": parameters}
    return None if all(stored.get(key) == value for key, value in update.items()) else update
