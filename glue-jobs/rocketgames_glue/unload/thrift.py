"""Thrift's compact protocol (thrift-compact-protocol.md), as far as a Parquet footer needs it: any struct, read and written again.

A struct is a list of fields in their order, so that what this program does not know stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
_DEEPEST = 32


@dataclass
class Struct:
    """Fields by their id: type and value. Booleans have their value in the type."""

    fields: dict[int, tuple[int, Any]] = field(default_factory=dict)

    def get(self, number: int) -> Any:
        """The value of a field; None without one."""
        return self.fields.get(number, (0, None))[1]

    def set(self, number: int, kind: int, value: Any) -> None:
        self.fields[number] = (kind, value)

    def drop(self, *numbers: int) -> None:
        for number in numbers:
            self.fields.pop(number, None)


@dataclass(frozen=True)
class Many:
    """A list: the type of its elements, and these."""

    kind: int
    items: list[Any]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def byte(self) -> int:
        value = self._data[self.at]
        self.at += 1
        return value

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def zigzag(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def raw(self, size: int) -> bytes:
        if self.at + size > len(self._data):
            raise ValueError("a thrift value reaches beyond its end")
        self.at += size
        return self._data[self.at - size : self.at]

    def value(self, kind: int, depth: int) -> Any:
        if kind in (TRUE, FALSE):
            return kind == TRUE
        if kind == BYTE:
            return self.byte()
        if kind in (I16, I32, I64):
            return self.zigzag()
        if kind == DOUBLE:
            return self.raw(8)
        if kind == BINARY:
            return self.raw(self.varint())
        if kind in (LIST, SET):
            return self.many(depth)
        if kind == STRUCT:
            return self.struct(depth + 1)
        raise ValueError(f"thrift type {kind} is not one of a Parquet footer")

    def many(self, depth: int) -> Many:
        head = self.byte()
        count = head >> 4
        kind = head & 0x0F
        if count == 15:
            count = self.varint()
        # Booleans of a list are bytes, 1 and 2, unlike those of a struct.
        return Many(kind, [self.byte() if kind in (TRUE, FALSE) else self.value(kind, depth) for _ in range(count)])

    def struct(self, depth: int) -> Struct:
        if depth > _DEEPEST:
            raise ValueError("a thrift struct is nested too deeply")
        found = Struct()
        number = 0
        while True:
            head = self.byte()
            if head == 0:
                return found
            delta = head >> 4
            number = number + delta if delta else self.zigzag()
            found.fields[number] = (head & 0x0F, self.value(head & 0x0F, depth))


def read_struct(data: bytes) -> tuple[Struct, int]:
    """:returns: the struct at the start of ``data``, and its length in bytes. :raises ValueError, IndexError: there is none."""
    reader = _Reader(data)
    return reader.struct(0), reader.at


def write_struct(struct: Struct) -> bytes:
    out = bytearray()
    _write_struct(out, struct)
    return bytes(out)


def _write_varint(out: bytearray, value: int) -> None:
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _write_zigzag(out: bytearray, value: int) -> None:
    _write_varint(out, value << 1 if value >= 0 else ((-value) << 1) - 1)


def _write_value(out: bytearray, kind: int, value: Any) -> None:
    if kind in (TRUE, FALSE):
        return
    if kind == BYTE:
        out.append(value)
    elif kind in (I16, I32, I64):
        _write_zigzag(out, value)
    elif kind == DOUBLE:
        out += value
    elif kind == BINARY:
        _write_varint(out, len(value))
        out += value
    elif kind in (LIST, SET):
        _write_many(out, value)
    else:
        _write_struct(out, value)


def _write_many(out: bytearray, many: Many) -> None:
    count = len(many.items)
    out.append(min(count, 15) << 4 | many.kind)
    if count >= 15:
        _write_varint(out, count)
    for each in many.items:
        if many.kind in (TRUE, FALSE):
            out.append(each)
        else:
            _write_value(out, many.kind, each)


def _write_struct(out: bytearray, struct: Struct) -> None:
    before = 0
    for number, (kind, value) in sorted(struct.fields.items()):
        delta = number - before
        if 1 <= delta <= 15:
            out.append(delta << 4 | kind)
        else:
            out.append(kind)
            _write_zigzag(out, number)
        before = number
        _write_value(out, kind, value)
    out.append(0)
