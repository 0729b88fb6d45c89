"""What the service is told of a finished file: the members of the report, as JSON has them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ColumnFacts:
    """``sum``: column sum, 16 hex digits."""

    nulls: int
    sum: str


@dataclass(frozen=True)
class UploadedPart:
    """A part as S3 has acknowledged it. ``crc32`` in base 64, as S3 shows it."""

    number: int
    etag: str
    bytes: int
    crc32: str


@dataclass(frozen=True)
class Uploaded:
    """All parts of a file, and the checksums of all its bytes: ``crc32`` 8 hex digits, ``sha256`` 64."""

    bytes: int
    crc32: str
    sha256: str
    parts: tuple[UploadedPart, ...]


@dataclass(frozen=True)
class EncodedFile:
    """What the encoder says of a file. ``tail``: from the start of the footer to the end; bounds of the key as text."""

    rows: int
    row_groups: int
    tail: bytes
    min_key: str | None
    max_key: str | None
    columns: Mapping[str, ColumnFacts]
    unrepresentable: Mapping[str, Mapping[str, int]]


def file_report(number: int, key: str, upload_id: str, encoded: EncodedFile, uploaded: Uploaded) -> dict[str, Any]:
    """The entry of a file in the report of the job."""
    return {
        "number": number,
        "key": key,
        "upload_id": upload_id,
        "rows": encoded.rows,
        "bytes": uploaded.bytes,
        "row_groups": encoded.row_groups,
        "crc32": uploaded.crc32,
        "sha256": uploaded.sha256,
        "tail": base64.b64encode(encoded.tail).decode(),
        "tail_sha256": hashlib.sha256(encoded.tail).hexdigest(),
        "min_key": encoded.min_key,
        "max_key": encoded.max_key,
        "columns": {name: {"nulls": each.nulls, "sum": each.sum} for name, each in encoded.columns.items()},
        "unrepresentable": {name: dict(counts) for name, counts in encoded.unrepresentable.items()},
        "parts": [vars(each) for each in uploaded.parts],
    }


def table_report(name: str, rows_read: int, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The entry of a table."""
    return {"name": name, "rows_read": rows_read, "files": sorted(files, key=lambda each: each["number"])}
