"""The contract of the lake's raw tables as the service publishes it: ``contract.json``, made by ``npm run generate:contract``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pyspark.sql import types as T

_SIMPLE: Mapping[str, T.DataType] = {
    "string": T.StringType(),
    "timestamp": T.TimestampType(),
    "date": T.DateType(),
    "int": T.IntegerType(),
    "bigint": T.LongType(),
    "boolean": T.BooleanType(),
}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


@dataclass(frozen=True)
class ContractColumn:
    """One column of a raw table.

    ``sql`` is the expression that the service selects from Postgres, ``source`` the database column that it reads; ``data_class`` is
    ``public``, ``internal`` or ``personal``; ``action`` is ``include``, ``pseudonymise`` or ``generalise``; ``on_unrepresentable``
    says what a value does that Parquet cannot hold: ``fail`` or ``null``; without ``stats`` the file has no minimum and maximum.
    """

    name: str
    athena_type: str
    nullable: bool
    data_class: str
    action: str
    sql: str
    pg_type: str
    source: str
    on_unrepresentable: str
    stats: bool
    description: str | None

    @property
    def spark_type(self) -> T.DataType:
        """The type that Spark reads and writes."""
        return spark_type(self.athena_type)


@dataclass(frozen=True)
class ContractTable:
    """One version of a raw table.

    ``name`` is its Glue table and S3 folder (``players``, from version 2 on ``players_v2``), ``lake_table`` the same without the
    version, ``table`` the one in Postgres; ``copy_select`` is the SELECT that the service sends, ending in the columns of the
    primary key that are not among the exported ones (``_key_0`` and so on); ``earlier`` is set when a later version stands beside it.
    """

    name: str
    lake_table: str
    table: str
    version: int
    earlier: bool
    retired: bool
    fingerprint: str
    description: str
    primary_key: tuple[str, ...]
    columns: tuple[ContractColumn, ...]
    copy_select: str

    def column(self, name: str) -> ContractColumn:
        """:raises KeyError: the table has no such column."""
        for each in self.columns:
            if each.name == name:
                return each
        raise KeyError(f"{self.name} has no column {name}")


@dataclass(frozen=True)
class Contract:
    """All raw tables; ``tables`` has the current version of each by its lake table (``players``), ``versions`` all by ``name``."""

    tables: Mapping[str, ContractTable]
    versions: Mapping[str, ContractTable]
    set_fingerprint: str


@cache
def load_contract() -> Contract:
    """Reads ``contract.json`` beside this module, out of the zip file that AWS Glue unpacks or imports, too."""
    given = json.loads(files(__package__).joinpath("contract.json").read_text(encoding="utf-8"))
    every = [_table(each) for each in given["tables"]]
    return Contract(
        tables={each.lake_table: each for each in every if not each.earlier},
        versions={each.name: each for each in every},
        set_fingerprint=given["set_fingerprint"],
    )


def _table(given: Mapping[str, object]) -> ContractTable:
    columns = tuple(ContractColumn(**each) for each in given["columns"])  # type: ignore[attr-defined]
    return ContractTable(**{**given, "columns": columns, "primary_key": tuple(given["primary_key"])})  # type: ignore[arg-type]


def spark_type(athena_type: str) -> T.DataType:
    """The Spark type of an Athena type of the contract.

    :raises ValueError: no raw table has such a type.
    """
    simple = _SIMPLE.get(athena_type)
    if simple is not None:
        return simple
    decimal = _DECIMAL.fullmatch(athena_type)
    if decimal is None:
        raise ValueError(f"{athena_type} is no type of the contract: {', '.join(_SIMPLE)}, decimal(p,s)")
    return T.DecimalType(int(decimal[1]), int(decimal[2]))


def spark_schema(table: ContractTable) -> T.StructType:
    """The schema with which the table's files are read: every column nullable, as Parquet has them."""
    return T.StructType([T.StructField(each.name, each.spark_type, True) for each in table.columns])
