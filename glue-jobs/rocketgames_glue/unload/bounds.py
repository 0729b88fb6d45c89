"""The smallest and the largest value of a column in a file, as the manifest shows them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rocketgames_glue.unload.footer import LONGEST_BOUND_BYTES
from rocketgames_glue.unload.plan import PlanColumn

_EPOCH = date(1970, 1, 1)


class KeyBounds:
    """Collects the bounds of one column, array by array."""

    def __init__(self, column: PlanColumn) -> None:
        self._column = column
        self._bounds: tuple[Any, Any] | None = None

    def add(self, values: pa.Array) -> None:
        """:param values: physical ones; text is compared by its bytes."""
        if self._column.is_wide:
            return
        found = pc.min_max(_comparable(values)).as_py()
        if found["min"] is None:
            return
        low, high = self._bounds or (found["min"], found["max"])
        self._bounds = (min(low, found["min"]), max(high, found["max"]))

    def texts(self) -> tuple[str | None, str | None]:
        """Both as text; None without a value, and for text with a bound that is left out of the file, too."""
        if self._bounds is None:
            return None, None
        low, high = (_text(self._column, each) for each in self._bounds)
        is_long = max(len(low.encode()), len(high.encode())) > LONGEST_BOUND_BYTES
        return (None, None) if is_long else (low, high)


def _comparable(values: pa.Array) -> pa.Array:
    """Texts as bytes, times and dates as numbers: Python's own know no order of bytes, and no year beyond 9999."""
    kind = values.type
    if pa.types.is_string(kind):
        return values.view(pa.binary())
    if pa.types.is_timestamp(kind):
        return values.view(pa.int64())
    return values.view(pa.int32()) if pa.types.is_date32(kind) else values


def _text(column: PlanColumn, value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    if column.pg_type == "date":
        return (_EPOCH + timedelta(days=value)).isoformat()
    if column.pg_type == "timestamptz(3)":
        seconds, rest = divmod(value // 1000, 1000)
        day, second = divmod(seconds, 86_400)
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        return f"{(_EPOCH + timedelta(days=day)).isoformat()}T{clock}.{rest:03}Z"
    scale = column.decimal[1] if column.decimal else 0
    if scale == 0:
        return str(value)
    digits = str(abs(value)).rjust(scale + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"
