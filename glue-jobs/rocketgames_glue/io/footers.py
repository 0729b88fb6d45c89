"""Footers of stored Parquet files, fetched without the rest of them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from rocketgames_glue.io.s3 import Bucket

_TAIL_BYTES = 64 * 1024
_LARGEST_TAIL_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class StoredFooter:
    """Size of an object, and what its footer says: rows, columns with their types in the order of the file."""

    size_bytes: int
    rows: int
    columns: pa.Schema


def stored_footer(bucket: Bucket, key: str) -> StoredFooter | None:
    """The footer of a stored file; None: there is no such object. One call, or two when the footer is long.

    :raises pa.ArrowException: it is no Parquet file.
    """
    wanted = _TAIL_BYTES
    while True:
        tail = bucket.tail(key, wanted)
        if tail is None:
            return None
        needed = int.from_bytes(tail.content[-8:-4], "little") + 8
        if needed > len(tail.content) and len(tail.content) < min(tail.size_bytes, _LARGEST_TAIL_BYTES):
            wanted = min(needed, _LARGEST_TAIL_BYTES)
            continue
        metadata = pq.read_metadata(pa.BufferReader(tail.content))
        return StoredFooter(tail.size_bytes, metadata.num_rows, metadata.schema.to_arrow_schema())
