"""Events as columns of a snapshot: a factor per name, `yes` in periods that an event touches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

from contract.config import Frequency
from job.sources.events import HAPPENS, HAPPENS_NOT, Annotations, column_of, happens
from job.sources.snapshot import Snapshot, write


def join(snapshot: Snapshot, annotations: Annotations, frequency: Frequency) -> Snapshot:
    """The snapshot with the events in it, in the same file.

    The file carries the events themselves too, so a retry needs no other; they count in the
    snapshot's fingerprint.
    """
    table = pq.read_table(snapshot.path).replace_schema_metadata(None)
    periods = table.column(0).to_pylist()
    for name in annotations.names:
        cells = pa.array(factor(annotations, name, periods, frequency), type=pa.string())
        table = table.append_column(column_of(name), cells)
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
    """One cell per period: whether an event of that name touches it."""
    marks = [False] * len(periods)
    for event in annotations.events:
        if event.name == name:
            touched = happens(event, periods, frequency)
            marks = [a or b for a, b in zip(marks, touched, strict=True)]
    return [HAPPENS if mark else HAPPENS_NOT for mark in marks]
