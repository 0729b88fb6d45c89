"""Column sums: two unsigned 32-bit accumulators over the words of a column's values in row order (a += word, b += a).

Words of a value: NULL is 0xFFFFFFFF; a boolean 0 or 1; 32 bits the value; 64 bits low word, high word; bytes their length, then the bytes
as little-endian words, the last one padded with zeros. The service computes the same when it verifies a file.

No loop over values: of words w_0 … w_(m-1), a grows by their sum, and b by m times the former a and the sum of (m - i) times w_i.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

_NULL = np.uint32(0xFFFFFFFF)
_MASK = 0xFFFFFFFF
_LAST_WORD = np.array([_MASK, 0xFF, 0xFFFF, 0xFFFFFF], dtype=np.uint32)
"""What belongs to a value of its last word, by its length modulo 4."""


class ColumnSum:
    """The sum of one column of one file; starts at 0."""

    def __init__(self) -> None:
        self._a = 0
        self._b = 0

    def __str__(self) -> str:
        """16 hex digits, a then b."""
        return f"{self._a:08x}{self._b:08x}"

    def add(self, values: pa.Array) -> None:
        """Adds the values of an array: boolean, int32, int64, date32, timestamp, string or fixed-size binary; slices and NULLs, too.

        :raises TypeError: it is of another type.
        """
        kind = values.type
        if len(values) == 0:
            return
        if pa.types.is_boolean(kind):
            self._add_words(_with_nulls(values.cast(pa.int32()), np.uint32))
        elif pa.types.is_int32(kind) or pa.types.is_date32(kind):
            self._add_words(_with_nulls(values, np.uint32))
        elif pa.types.is_int64(kind) or pa.types.is_timestamp(kind):
            self._add_longs(values)
        elif pa.types.is_string(kind) or pa.types.is_binary(kind):
            self._add_bytes(values, *_offsets_and_data(values))
        elif pa.types.is_fixed_size_binary(kind):
            self._add_bytes(values, *_fixed_offsets_and_data(values))
        else:
            raise TypeError(f"no column of a file is of type {kind}")

    def _add_words(self, words: np.ndarray) -> None:
        count = len(words)
        weights = np.arange(count, 0, -1, dtype=np.uint32)
        self._advance(count, _total(words), _weighted(words, weights))

    def _advance(self, count: int, total: int, weighted: int) -> None:
        """:param weighted: sum of each word times the number of words from it to the end."""
        self._b = (self._b + count * self._a + weighted) & _MASK
        self._a = (self._a + total) & _MASK

    def _add_longs(self, values: pa.Array) -> None:
        longs = _fixed_width(values, np.uint32, 2)
        valid = _valid(values)
        if valid is not None:
            longs = longs.copy()
            longs[~valid, 0] = _NULL
            kept = np.ones(longs.shape, dtype=bool)
            kept[~valid, 1] = False
            self._add_words(longs[kept])
        else:
            self._add_words(longs.reshape(-1))

    def _add_bytes(self, values: pa.Array, offsets: np.ndarray, data: np.ndarray) -> None:
        """:param data: with four bytes more than the last offset, for the loads of whole words."""
        lengths = np.diff(offsets)
        valid = _valid(values)
        heads = lengths.astype(np.uint32)
        if valid is not None:
            heads[~valid] = _NULL
            # What an array keeps below a NULL is nobody's value.
            lengths = np.where(valid, lengths, 0)
        rows = len(lengths)
        sizes = (lengths + 3) >> 2
        ends = np.cumsum(sizes)
        words_in_all = int(ends[-1])
        starts = ends - sizes
        count = words_in_all + rows
        head_weights = (count - starts - np.arange(rows)).astype(np.uint32)
        total = _total(heads)
        weighted = _weighted(heads, head_weights)
        if words_in_all:
            words = _words(offsets[:-1], lengths, sizes, starts, ends, data)
            # Word j of all lies behind j others and the lengths of its own row and those before it.
            row_of_word = np.repeat(np.arange(1, rows + 1, dtype=np.uint32), sizes)
            weights = np.arange(count, count - words_in_all, -1, dtype=np.int64).astype(np.uint32) - row_of_word
            total += _total(words)
            weighted += _weighted(words, weights)
        self._advance(count, total, weighted)


def _total(words: np.ndarray) -> int:
    return int(np.sum(words, dtype=np.uint64)) & _MASK


def _weighted(words: np.ndarray, weights: np.ndarray) -> int:
    # Products and sums of uint32 arrays are those modulo 2^32.
    return int(np.dot(words, weights))


def _words(
    froms: np.ndarray, lengths: np.ndarray, sizes: np.ndarray, starts: np.ndarray, ends: np.ndarray, data: np.ndarray
) -> np.ndarray:
    """The words of all values, one after another: loads of four bytes from wherever they begin."""
    at = np.arange(0, 4 * int(ends[-1]), 4) + np.repeat(froms - 4 * starts, sizes)
    # A view with one word for each byte of the data.
    every = np.ndarray((len(data) - 3,), dtype="<u4", buffer=data, strides=(1,))
    words = every[at]
    partial = np.flatnonzero(lengths & 3)
    words[ends[partial] - 1] &= _LAST_WORD[lengths[partial] & 3]
    return words


def _valid(values: pa.Array) -> np.ndarray | None:
    """Which values are there; None when all are."""
    if values.null_count == 0:
        return None
    return values.is_valid().to_numpy(zero_copy_only=False)


def _fixed_width(values: pa.Array, dtype: type, per_row: int) -> np.ndarray:
    buffer = values.buffers()[1]
    found = np.frombuffer(buffer, dtype=dtype, count=per_row * len(values), offset=values.offset * per_row * np.dtype(dtype).itemsize)
    return found.reshape(-1, per_row) if per_row > 1 else found


def _with_nulls(values: pa.Array, dtype: type) -> np.ndarray:
    words = _fixed_width(values, dtype, 1)
    valid = _valid(values)
    return words if valid is None else np.where(valid, words, _NULL)


def _padded(buffer: pa.Buffer | None, begin: int, end: int) -> np.ndarray:
    data = np.zeros(end - begin + 4, dtype=np.uint8)
    if buffer is not None and end > begin:
        data[: end - begin] = np.frombuffer(buffer, dtype=np.uint8, count=end - begin, offset=begin)
    return data


def _offsets_and_data(values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    _, offset_buffer, data_buffer = values.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int32, count=len(values) + 1, offset=4 * values.offset).astype(np.int64)
    begin, end = int(offsets[0]), int(offsets[-1])
    return offsets - begin, _padded(data_buffer, begin, end)


def _fixed_offsets_and_data(values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    width = values.type.byte_width
    begin = values.offset * width
    offsets = np.arange(len(values) + 1, dtype=np.int64) * width
    return offsets, _padded(values.buffers()[1], begin, begin + len(values) * width)
