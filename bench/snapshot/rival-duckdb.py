"""Players to a zstd Parquet file by DuckDB's postgres extension: `rival-duckdb.py <url> <file> <threads>`; prints one line of JSON."""

import json
import os
import pathlib
import re
import sys
import time

import duckdb
import duckdb_extension_postgres_scanner

# What the snapshot's COPY selects, but computed by DuckDB: a query that Postgres computes would be read by one connection alone.
# The id stays as it is; a pseudonym DuckDB cannot make.
PLAYERS = """
SELECT CAST(id AS VARCHAR) AS player_ref, email_verified_at IS NOT NULL AS email_verified,
       CASE WHEN birth_date > CAST(current_date - INTERVAL 18 YEAR AS DATE) THEN 'under_18'
            WHEN isfinite(birth_date) THEN CAST(year(birth_date) AS VARCHAR) END AS birth_year,
       CAST(country AS VARCHAR) AS country,
       CASE WHEN regexp_matches(locale, '^[A-Za-z]{2,3}([-_]|$)') THEN lower(rtrim(left(locale, 3), '-_')) END AS language,
       CAST(status AS VARCHAR) AS status, closed_at, erased_at, version, created_at, updated_at
FROM accounts.public.player
"""

url, file, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
extension = next(pathlib.Path(duckdb_extension_postgres_scanner.__file__).parent.rglob("*.duckdb_extension"))
duck = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": threads})
duck.execute(f"LOAD '{extension}'")

began, cpu = time.monotonic(), time.process_time()
duck.execute(f"ATTACH '{url}' AS accounts (TYPE postgres, READ_ONLY)")
[(rows,)] = duck.execute(f"COPY ({PLAYERS}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)").fetchall()
print(
    json.dumps(
        {
            "rows": rows,
            "bytes": os.path.getsize(file),
            "wallMs": (time.monotonic() - began) * 1000,
            "cpuMs": (time.process_time() - cpu) * 1000,
            "peakRssMiB": int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024,
        }
    )
)
