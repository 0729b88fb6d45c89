"""What a load says to Postgres, as text. Values go by parameters (``?``) wherever Postgres takes them."""

from __future__ import annotations

from rocketgames_glue.statements.column_types import postgres_type
from rocketgames_glue.statements.warehouse_run import WarehouseColumn, WarehouseTable, literal, qualified, quoted

LOADS = "warehouse_loads"

TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('rocketgames-warehouse:' || ?, 0))"
"""Of the session: it goes with the connection, so a load that dies lets go of it."""

HOLDS_LOCK = """SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted AND objsubid = 1
  AND (classid::bigint << 32 | objid::bigint) = hashtextextended('rocketgames-warehouse:' || ?, 0)"""

SET_IF_KNOWN = "SELECT set_config(name, ?, false) FROM pg_settings WHERE lower(name) = ?"
"""Parameters: value, setting. Older servers lack some: they stay as they are."""

HAS_SCHEMA = "SELECT count(to_regnamespace(?))"
"""Parameter: the schema in double quotes. CREATE SCHEMA IF NOT EXISTS would want the right to create one that is there."""

COLUMNS = """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
  coalesce(col_description(c.oid, a.attnum), ''), coalesce(obj_description(c.oid, 'pg_class'), ''), a.attnotnull AND NOT a.atthasdef
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = to_regnamespace(?) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum"""
"""Parameter: the schema in double quotes. Table, column, type, its comment, the table's comment, whether an INSERT must give it."""

PRIMARY_KEYS = """SELECT c.relname, array_to_string(ARRAY(
  SELECT a.attname FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) ORDER BY a.attname), ',')
FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid
WHERE c.relnamespace = to_regnamespace(?) AND i.indisprimary"""
"""Parameter: the schema in double quotes. Table, names of the key in alphabetical order with commas between."""

OTHER_RELATIONS = """SELECT c.relname FROM pg_class c
WHERE c.relnamespace = to_regnamespace(?) AND c.relkind NOT IN ('r', 'p', 'i', 'I', 'S', 't', 'c')"""
"""Parameter: the schema in double quotes. Views and the like, which have their names in common with tables."""

STAGING_TABLES = """SELECT c.relname FROM pg_class c
WHERE c.relnamespace = to_regnamespace(?) AND c.relkind = 'r' AND c.relpersistence = 'u'
  AND c.relname ~ '^[a-z][a-z0-9_]*__[0-9]{8}t[0-9]{6}z_[0-9a-z]{8}_[0-9a-f]{6}$'
ORDER BY c.relname"""


def create_schema(schema: str) -> str:
    return f"CREATE SCHEMA {quoted(schema)}"


def create_loads(schema: str) -> str:
    """One line a load, in the same transaction as what it loaded."""
    return f"""CREATE TABLE {qualified(schema, LOADS)} (
  load_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id text NOT NULL,
  run_created_at timestamp with time zone NOT NULL,
  run_mode text NOT NULL,
  mode text NOT NULL,
  loaded_at timestamp with time zone NOT NULL,
  total_rows bigint NOT NULL,
  table_rows jsonb NOT NULL
)"""


def describe_loads(schema: str) -> str:
    text = (
        "The runs that were loaded, newest last. mode: initial, next, older or again; table_rows: of each table the rows it has, "
        "and how many were inserted, updated, deleted"
    )
    return f"COMMENT ON TABLE {qualified(schema, LOADS)} IS {literal(text)}"


def last_load(schema: str) -> str:
    return f"SELECT run_id, run_created_at FROM {qualified(schema, LOADS)} ORDER BY load_id DESC LIMIT 1"


def insert_load(schema: str) -> str:
    """Parameters: run, its time, its mode, mode of the load, rows of all tables, rows per table as JSON."""
    return f"""INSERT INTO {qualified(schema, LOADS)} (run_id, run_created_at, run_mode, mode, loaded_at, total_rows, table_rows)
VALUES (?, ?::timestamptz, ?, ?, clock_timestamp(), ?::bigint, ?::jsonb)"""


def create_staging(schema: str, name: str, table: WarehouseTable) -> str:
    """Without WAL and without indexes: it is filled once, read once and dropped."""
    return f"CREATE UNLOGGED TABLE {qualified(schema, name)} (\n  {_columns(table.columns)}\n)"


def create_target(schema: str, table: WarehouseTable) -> str:
    keys = ", ".join(map(quoted, table.keys))
    return f"CREATE TABLE {qualified(schema, table.name)} (\n  {_columns(table.columns)},\n  PRIMARY KEY ({keys})\n)"


def _columns(columns: tuple[WarehouseColumn, ...]) -> str:
    lines = [f"{quoted(c.name)} {postgres_type(c.athena_type)}{'' if c.nullable else ' NOT NULL'}" for c in columns]
    return ",\n  ".join(lines)


def add_column(schema: str, table: str, column: WarehouseColumn) -> str:
    """Without NOT NULL: the rows that are there have no value yet."""
    return f"ALTER TABLE {qualified(schema, table)} ADD COLUMN {quoted(column.name)} {postgres_type(column.athena_type)}"


def describe_table(schema: str, table: WarehouseTable) -> str:
    return f"COMMENT ON TABLE {qualified(schema, table.name)} IS {literal(table.description)}"


def describe_column(schema: str, table: str, column: WarehouseColumn) -> str:
    return f"COMMENT ON COLUMN {qualified(schema, table)}.{quoted(column.name)} IS {literal(column.comment)}"


def lock_target(schema: str, table: str) -> str:
    """Nobody else writes until the transaction ends; readers go on."""
    return f"LOCK TABLE {qualified(schema, table)} IN SHARE ROW EXCLUSIVE MODE"


def count(schema: str, table: str) -> str:
    return f"SELECT count(*) FROM {qualified(schema, table)}"


def analyze(schema: str, table: str) -> str:
    return f"ANALYZE {qualified(schema, table)}"


def drop(schema: str, table: str) -> str:
    return f"DROP TABLE IF EXISTS {qualified(schema, table)}"


def merge(schema: str, table: WarehouseTable, staging_schema: str, staging: str) -> str:
    """Inserts what is new and updates what differs; answers (inserted, updated).

    Rows that are equal are left out before ON CONFLICT sees them: it would lock, and so write, every one of them.
    """
    names, values = table.names, table.values
    target, source = qualified(schema, table.name), qualified(staging_schema, staging)
    different = "t.ctid IS NULL"
    action = "NOTHING"
    if values:
        different += f"\n    OR ROW({_list(values, 't.')}) IS DISTINCT FROM ROW({_list(values, 's.')})"
        action = "UPDATE SET " + ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in values)
    return f"""WITH changed AS (
  INSERT INTO {target} ({_list(names)})
  SELECT {_list(names, 's.')} FROM {source} s LEFT JOIN {target} t ON {_equal(table.keys, 't', 's')}
  WHERE {different}
  ON CONFLICT ({_list(table.keys)}) DO {action}
  RETURNING xmax = 0 AS is_new
)
SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM changed"""


def delete_gone(schema: str, table: WarehouseTable, staging_schema: str, staging: str) -> str:
    """Deletes the rows whose key the run does not have; answers how many."""
    target, source = qualified(schema, table.name), qualified(staging_schema, staging)
    return f"""WITH gone AS (
  DELETE FROM {target} t WHERE NOT EXISTS (SELECT FROM {source} s WHERE {_equal(table.keys, 't', 's')}) RETURNING 1
)
SELECT count(*) FROM gone"""


def _list(names: tuple[str, ...], prefix: str = "") -> str:
    return ", ".join(prefix + quoted(name) for name in names)


def _equal(keys: tuple[str, ...], left: str, right: str) -> str:
    return " AND ".join(f"{left}.{quoted(key)} = {right}.{quoted(key)}" for key in keys)
