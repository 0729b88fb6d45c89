"""Loads the committed curated run into a warehouse: one entry, whatever the warehouse is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyspark.sql import DataFrame

from rocketgames_glue.arguments import LoadArguments
from rocketgames_glue.io.aws import aws_client
from rocketgames_glue.io.curated_runs import CuratedManifest, RunTable, current_run, read_run
from rocketgames_glue.io.frames import run_frame
from rocketgames_glue.io.jdbc import JdbcDatabase, jdbc_database, secret_url, with_root_certificates
from rocketgames_glue.io.postgres_warehouse import load_postgres
from rocketgames_glue.io.redshift import load_redshift
from rocketgames_glue.io.redshift_data_api import RedshiftPlace
from rocketgames_glue.io.run_files import check_files
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.io.secrets import database_secret, environment_secret
from rocketgames_glue.io.snowflake import connect_snowflake, load_snowflake
from rocketgames_glue.job_error import JobError
from rocketgames_glue.job_log import log
from rocketgames_glue.session import give_to_executors, session_settings, spark_session
from rocketgames_glue.statements.load_policy import LoadPolicy
from rocketgames_glue.statements.warehouse_run import TableChange, WarehouseColumn, WarehouseFile, WarehouseRun, WarehouseTable
from rocketgames_glue.tables import CURATED, CuratedTable

Step = Callable[[str], None]
Changes = Mapping[str, TableChange] | None


def run(arguments: LoadArguments, on_step: Step = lambda _: None) -> None:
    """Reads the run that ``curated-meta/v1/CURRENT.json`` names (or ``--run-id``) and loads every table of it, all or nothing.

    :raises JobError: nothing was changed in the warehouse, and why.
    """
    bucket = Bucket(aws_client("s3", arguments.place.region, arguments.place.endpoint_url), arguments.place.bucket)
    chosen = warehouse_run(_manifest(bucket, arguments.run_id))
    check_files(bucket, chosen)
    log("run-read", run_id=chosen.run_id, tables=len(chosen.tables), rows=chosen.rows, target=arguments.target)
    changes = _LOADERS[arguments.target](arguments, bucket, chosen, on_step)
    if changes is None:
        log("nothing-to-do", run_id=chosen.run_id, reason="the warehouse shows this run")
        return
    log("run-loaded", run_id=chosen.run_id, target=arguments.target, tables={name: vars(each) for name, each in changes.items()})


def _manifest(bucket: Bucket, run_id: str | None) -> CuratedManifest:
    if run_id is not None:
        manifest = read_run(bucket, run_id)
        if manifest is None:
            raise JobError("run-missing", f"There is no run {run_id} (any more); leave --run-id out to load the newest", run_id=run_id)
        return manifest
    current = current_run(bucket)
    if current is None:
        raise JobError("run-missing", "There is no curated run to load yet: make one with rocketgames glue curate")
    return current.manifest


def warehouse_run(manifest: CuratedManifest) -> WarehouseRun:
    """The run as a warehouse takes it, with the keys and comments of its tables.

    :raises JobError: ``run-differs``: it was made by a version of the jobs whose tables are others.
    """
    known, given = {table.name for table in CURATED}, {table.name for table in manifest.tables}
    if known != given:
        raise _run_differs(manifest, f"it lacks or has more tables: {', '.join(sorted(known ^ given))}")
    tables = tuple(_table(manifest, table) for table in CURATED)
    return WarehouseRun(manifest.run_id, manifest.created_at, manifest.mode, tables)


def _table(manifest: CuratedManifest, table: CuratedTable) -> WarehouseTable:
    given = manifest.table(table.name)
    assert given is not None
    wanted = [(each.name, each.athena_type) for each in table.columns]
    if [(each.name, each.type) for each in given.columns] != wanted:
        raise _run_differs(manifest, f"the columns of {table.name} are not those that these jobs know")
    _check_rows(manifest, given)
    return WarehouseTable(
        name=table.name,
        description=f"{table.description}. {table.grain}",
        keys=table.keys,
        sort_by=table.sort_by,
        columns=tuple(WarehouseColumn(each.name, each.athena_type, each.comment, each.nullable) for each in table.columns),
        rows=given.rows,
        files=tuple(WarehouseFile(each.key, each.bytes, each.rows) for each in given.files),
    )


def _check_rows(manifest: CuratedManifest, table: RunTable) -> None:
    if sum(file.rows for file in table.files) != table.rows:
        raise _run_differs(manifest, f"the rows of {table.name} are not the sum of its files' rows")


def _run_differs(manifest: CuratedManifest, why: str) -> JobError:
    return JobError(
        "run-differs",
        f"The run {manifest.run_id} does not fit these jobs: {why}. Nothing was loaded; make a new run with the same version of the jobs",
        run_id=manifest.run_id,
    )


def _policy(arguments: LoadArguments) -> LoadPolicy:
    return LoadPolicy(arguments.allow_older, arguments.reload)


def _postgres(arguments: LoadArguments, _bucket: Bucket, chosen: WarehouseRun, on_step: Step) -> Changes:
    database = _database(arguments)
    spark = spark_session(session_settings("load_warehouse", arguments.place))
    give_to_executors(spark, arguments.ssl_root_cert)

    def frame(table: WarehouseTable) -> DataFrame:
        return run_frame(spark, arguments.place, table)

    return load_postgres(spark, database, arguments.schema, chosen, frame, _policy(arguments), on_step)


def _database(arguments: LoadArguments) -> JdbcDatabase:
    """``--secret-id`` alone is enough: a secret of RDS knows where its database is. What is given beside it comes first."""
    if arguments.secret_id is None:
        assert arguments.jdbc_url is not None and arguments.user is not None and arguments.password_env is not None
        url = with_root_certificates(arguments.jdbc_url, arguments.ssl_root_cert)
        return jdbc_database(url, arguments.user, environment_secret(arguments.password_env))
    # That of AWS also where the lake has an endpoint of its own, which has no Secrets Manager.
    client = aws_client("secretsmanager", arguments.place.region)
    secret = database_secret(client, arguments.secret_id)
    url = with_root_certificates(arguments.jdbc_url or secret_url(secret, arguments.secret_id), arguments.ssl_root_cert)
    return jdbc_database(url, arguments.user or secret.username, secret.password)


def _redshift(arguments: LoadArguments, bucket: Bucket, chosen: WarehouseRun, on_step: Step) -> Changes:
    assert arguments.redshift_database is not None and arguments.iam_role is not None
    place = RedshiftPlace(
        workgroup=arguments.redshift_workgroup,
        cluster=arguments.redshift_cluster,
        database=arguments.redshift_database,
        secret_arn=arguments.secret_id,
        iam_role=arguments.iam_role,
    )
    client = aws_client("redshift-data", arguments.place.region)
    return load_redshift(client, bucket, place, arguments.schema, chosen, _policy(arguments), on_step)


def _snowflake(arguments: LoadArguments, _bucket: Bucket, chosen: WarehouseRun, on_step: Step) -> Changes:
    assert arguments.stage is not None
    secrets = None if arguments.secret_id is None else aws_client("secretsmanager", arguments.place.region)
    with connect_snowflake(secrets, arguments.secret_id) as connection:
        return load_snowflake(connection, arguments.stage, arguments.schema, chosen, _policy(arguments), on_step)


_LOADERS: Mapping[str, Callable[[LoadArguments, Bucket, WarehouseRun, Step], Changes]] = {
    "postgres": _postgres,
    "redshift": _redshift,
    "snowflake": _snowflake,
}
