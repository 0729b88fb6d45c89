"""Small raw snapshots as the service commits them: Parquet files by PyArrow and a manifest in the form of ``src/lake/manifest.ts``."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from conftest import Aws

from rocketgames_glue.contract import ContractTable, load_contract

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]
DAY = timedelta(days=1)
START = datetime(2026, 11, 1, 2, 0, 0, 123000, tzinfo=timezone.utc)
_ARROW = {
    "string": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
}
_DEFAULTS = {"string": "-", "timestamp": START, "date": START.date(), "int": 0, "bigint": 0, "boolean": False}


def accounts(day: int, players: int = 24, filled: Sequence[str] | None = None) -> dict[str, list[Row]]:
    """The accounts on a day: two studios with two games each, players who own two games and play one of them every day.

    Each day one player moves, one studio and one game get another name, and a player more registers. ``filled``: these tables alone.
    """
    now = START + day * DAY
    studios = [{"id": f"s{n}", "slug": f"studio-{n}", "name": f"Studio {n}" + (f" {day}" if n == 0 else ""), "status": "active", "country": "DE"} for n in range(2)]
    games = [
        {"id": f"g{n}", "studio_id": f"s{n // 2}", "slug": f"game-{n}", "title": f"Game {n}" + (f" {day}" if n == 0 else ""), "status": "released"}
        for n in range(4)
    ]
    people = [
        {
            "player_ref": f"p{n:04d}",
            "status": "active",
            "email_verified": n % 2 == 0,
            "country": "FR" if n < day else "DE",
            "birth_year": "1990",
            "language": "de",
            "created_at": START - DAY if n < players else START + (n - players) * DAY + timedelta(hours=1),
        }
        for n in range(players + day)
    ]
    entries = [
        {
            "id": f"e{n:04d}-{g}",
            "player_ref": f"p{n:04d}",
            "game_id": f"g{(n + g) % 4}",
            "platform": "windows",
            "source": "purchase",
            "acquired_at": START - DAY,
            "playtime_seconds": 100 * day if g == 0 else 0,
            "first_played_at": START - DAY if g == 0 else None,
            "last_played_at": now - timedelta(hours=1) if g == 0 else None,
        }
        for n in range(players)
        for g in range(2)
    ]
    made = {"studios": studios, "games": games, "players": people, "player_games": entries}
    return {name: rows for name, rows in made.items() if filled is None or name in filled}


def _value(column: Any, row: Row) -> Any:
    if column.name in row or column.nullable:
        return row.get(column.name)
    kind = column.athena_type
    return _DEFAULTS[kind]


def parquet(table: ContractTable, rows: Sequence[Row], columns: Sequence[str] | None = None) -> bytes:
    """A file of a raw table with the contract's types, in the columns that are named."""
    wanted = [each for each in table.columns if columns is None or each.name in columns]
    arrays = {each.name: pa.array([_value(each, row) for row in rows], _ARROW[each.athena_type]) for each in wanted}
    out = io.BytesIO()
    pq.write_table(pa.table(arrays), out, compression="zstd")
    return out.getvalue()


class RawLake:
    """Commits snapshots into the bucket of a test; of ``accounts`` they hold the rows of ``filled``, None: of all tables."""

    def __init__(self, aws: Aws, filled: Sequence[str] | None = None) -> None:
        self.aws = aws
        self.filled = filled
        self.sequence = 0
        self.manifests: dict[str, dict[str, Any]] = {}

    def take(self, day: int, rows: Rows | None = None, pseudonym_key_version: int = 1, without: Mapping[str, Sequence[str]] | None = None) -> str:
        """A snapshot of ``START`` + ``day``, committed; ``without`` names columns that its files lack. Answers with its id."""
        self.sequence += 1
        taken_at = START + day * DAY
        snapshot_id = f"{taken_at:%Y%m%dt%H%M%Sz}-{self.sequence:08d}"
        given = accounts(day, filled=self.filled) if rows is None else rows
        tables = []
        for name, table in load_contract().tables.items():
            lacking = set((without or {}).get(name, ()))
            tables.append(self._table(table, snapshot_id, given.get(name, []), [each.name for each in table.columns if each.name not in lacking]))
        self.write(snapshot_id, _manifest(snapshot_id, self.sequence, taken_at, tables, pseudonym_key_version))
        return snapshot_id

    def write(self, snapshot_id: str, manifest: dict[str, Any]) -> None:
        """Puts a manifest, which may say anything."""
        self.manifests[snapshot_id] = manifest
        body = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
        self.aws.put(f"lake-meta/v1/manifests/{snapshot_id}.json", body)

    def retire(self, snapshot_id: str, files_only: bool = False) -> None:
        """What retention does: the objects, then the manifest, which is kept as a record. ``files_only``: retention died in between."""
        s3 = self.aws.client("s3")
        for table in self.manifests[snapshot_id]["tables"]:
            for file in table["files"]:
                s3.delete_object(Bucket=self.aws.bucket, Key=file["key"])
        if files_only:
            return
        self.aws.put(f"lake-meta/v1/retired/{snapshot_id}.json", json.dumps(self.manifests[snapshot_id]))
        s3.delete_object(Bucket=self.aws.bucket, Key=f"lake-meta/v1/manifests/{snapshot_id}.json")

    def _table(self, table: ContractTable, snapshot_id: str, rows: Sequence[Row], columns: Sequence[str]) -> dict[str, Any]:
        day = f"{snapshot_id[:4]}-{snapshot_id[4:6]}-{snapshot_id[6:8]}"
        folder = f"lake/v1/{table.name}/snapshot_date={day}/snapshot_id={snapshot_id}/"
        half = (len(rows) + 1) // 2
        files = []
        for number, part in enumerate([rows[:half], rows[half:]] if len(rows) > 1 else [rows]):
            body = parquet(table, part, columns)
            key = f"{folder}part-00-{number:05d}.parquet"
            self.aws.put(key, body)
            files.append(_file(key, body, len(part)))
        return {
            "name": table.name,
            "contract_version": table.version,
            "fingerprint": table.fingerprint,
            "rows": len(rows),
            "bytes": sum(each["bytes"] for each in files),
            "columns": [
                {
                    "name": each.name,
                    "pg_type": each.pg_type,
                    "parquet_physical": "BYTE_ARRAY",
                    "parquet_logical": None,
                    "athena_type": each.athena_type,
                    "nullable": each.nullable,
                    "class": each.data_class,
                    "action": each.action,
                }
                for each in table.columns
                if each.name in columns
            ],
            "unrepresentable": {},
            "files": files,
        }


def _file(key: str, body: bytes, rows: int) -> dict[str, Any]:
    tail_bytes = int.from_bytes(body[-8:-4], "little") + 8
    return {
        "key": key,
        "bytes": len(body),
        "rows": rows,
        "row_groups": 1,
        "crc32": base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode(),
        "sha256": hashlib.sha256(body).hexdigest(),
        "tail_sha256": hashlib.sha256(body[-tail_bytes:]).hexdigest(),
        "tail_bytes": tail_bytes,
        "min_key": None,
        "max_key": None,
        "columns": {},
    }


def _manifest(snapshot_id: str, sequence: int, taken_at: datetime, tables: list[dict[str, Any]], key_version: int) -> dict[str, Any]:
    at = taken_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "manifest_version": 1,
        "snapshot_id": snapshot_id,
        "snapshot_date": f"{taken_at:%Y-%m-%d}",
        "sequence": sequence,
        "fence": 1,
        "software": {"version": "test", "git_sha": None},
        "previous_snapshot_id": None,
        "started_at": at,
        "prepared_at": at,
        "source": {
            "database": "test",
            "pg_version": "18",
            "system_identifier": None,
            "role": "primary",
            "snapshot": "1:1:",
            "xmin": "1",
            "xmax": "1",
            "wal_lsn": "0/1",
            "taken_at": at,
        },
        "contract_set_fingerprint": load_contract().set_fingerprint,
        "pseudonym_key_version": key_version,
        "erasure_watermark": None,
        "tables": tables,
        "totals": {
            "rows": sum(each["rows"] for each in tables),
            "bytes": sum(each["bytes"] for each in tables),
            "files": sum(len(each["files"]) for each in tables),
        },
    }
