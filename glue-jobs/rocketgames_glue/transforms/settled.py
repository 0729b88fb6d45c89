"""Small intermediate results, computed once."""

from __future__ import annotations

from pyspark.sql import DataFrame


def settled(frame: DataFrame) -> DataFrame:
    """
    The same rows, computed now and kept, on disk where memory is short: for few keys against which many rows are joined, more than once.
    Spark then knows their real size and sends them to the rows, while that is below its broadcast threshold; of an estimate it would
    shuffle the many rows. To be used for nothing that grows with the tables themselves; the run lets go of it
    when the table is written.
    """
    kept = frame.persist()
    kept.count()
    return kept
