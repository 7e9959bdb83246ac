"""Add dated events to a snapshot: one factor per name, `yes` in each period with the event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

from contract.config import Frequency
from job.sources.annotations import NO, YES, Annotations, column_name, touches
from job.sources.snapshot import Snapshot, write


def join(snapshot: Snapshot, annotations: Annotations, frequency: Frequency) -> Snapshot:
    """Add the events to the snapshot's file and return the new snapshot.

    The file also stores the events themselves, so a retry does not read the CSV again. They are
    part of the snapshot's fingerprint.
    """
    table = pq.read_table(snapshot.path).replace_schema_metadata(None)
    periods = table.column(0).to_pylist()
    for name in annotations.names:
        cells = pa.array(factor(annotations, name, periods, frequency), type=pa.string())
        table = table.append_column(column_name(name), cells)
    return write(
        table.to_batches(),
        table.schema,
        snapshot.path,
        sql=snapshot.sql,
        source=snapshot.source,
        evidence=lambda: snapshot.evidence,
        annotations=annotations,
    ).timed(snapshot.seconds)


def factor(
    annotations: Annotations, name: str, periods: Sequence[date], frequency: Frequency
) -> list[str]:
    """Return `yes` or `no` for each period: whether it contains an event of this name."""
    marks = [False] * len(periods)
    for event in annotations.events:
        if event.name == name:
            touched = touches(event, periods, frequency)
            marks = [a or b for a, b in zip(marks, touched, strict=True)]
    return [YES if mark else NO for mark in marks]
