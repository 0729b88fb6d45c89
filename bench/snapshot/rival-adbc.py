"""Rows of a query to a zstd Parquet file by ADBC's Postgres driver and PyArrow: `rival-adbc.py <url> <file> <sql>`; prints one line of JSON."""

import json
import os
import pathlib
import re
import sys
import time

import adbc_driver_postgresql.dbapi
import pyarrow.parquet

url, file, sql = sys.argv[1:4]
began, cpu = time.monotonic(), time.process_time()
rows = 0
with adbc_driver_postgresql.dbapi.connect(url) as connection, connection.cursor() as cursor:
    cursor.execute(sql)
    reader = cursor.fetch_record_batch()
    with pyarrow.parquet.ParquetWriter(file, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
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
