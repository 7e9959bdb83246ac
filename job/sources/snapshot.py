"""The snapshot: an immutable Parquet file with one row per period, and the evidence for the gate.

The evidence is JSON in the Parquet file's metadata, so a retry needs only this one file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

import pyarrow as pa
import pyarrow.parquet as pq

from contract.base import canonical_json, sha256_hex
from contract.exceptions import DataError
from job.sources.annotations import Annotations
from job.sources.fingerprint import Fingerprint

METADATA_KEY = b"mmm"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Counts of faulty values in one column and period."""

    column: str
    period: date
    missing: int = 0
    unreadable: int = 0
    negative: int = 0


@dataclass(frozen=True, kw_only=True)
class Example:
    """A faulty value: its column, its text and, in a file, its row.

    The first row of a CSV file or a sheet is its header.
    """

    column: str
    text: str | None
    row: int | None = None
    fault: Literal["unreadable", "missing", "negative"] = "unreadable"

    def __str__(self) -> str:
        """Return the text with its row, e.g. "`x` in row 3"."""
        text = "an empty cell" if self.text is None else f"`{self.text}`"
        return text + (f" in row {self.row:,}" if self.row else "")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the query counted in the rows behind the periods.

    Attributes:
        rows_read: rows in the date window.
        unreadable_dates: rows whose date is unreadable.
        days: days with rows.
        repeated_days: days with more than one row.
        identical_days: days with more than one row, all of them identical.
        repeated_in: periods with repeated days.
        notices: faulty values by column and period.
        dropped: incomplete first and last periods that extraction removed.
        filled: periods without rows that extraction filled.
        thin: in a daily table, periods that lack rows on some days.
        missing_days: the number of those days.
        crowded: in a table with one row per period, periods with rows of several days.
        source_last_day: the last day with rows.
        examples: values that cannot be read, at most three per column; of a file also missing and
            negative ones.
        turned: a readable date with its row, if some dates are unreadable and no readable one has
            a day above 12.
        repeated_values: per summed column, the days on which several rows have one value.
        copies: for target and spends, how often each value usually occurs on a day.
        weekday_of_rows: the weekday of all rows (0 is Monday), if there is one row per period.
        midnight_in: the time zones in which all moments of the date column are midnight.
        clocks: the usual times of the date column in UTC, e.g. 22:00 and 23:00, at most three.
    """

    rows_read: int = 0
    unreadable_dates: int = 0
    days: int = 0
    repeated_days: int = 0
    identical_days: int = 0
    repeated_in: tuple[date, ...] = ()
    notices: tuple[Notice, ...] = ()
    dropped: tuple[date, ...] = ()
    filled: tuple[date, ...] = ()
    thin: tuple[date, ...] = ()
    missing_days: int = 0
    crowded: tuple[date, ...] = ()
    source_last_day: date | None = None
    weekday_of_rows: int | None = None
    examples: tuple[Example, ...] = ()
    turned: Example | None = None
    repeated_values: dict[str, int] = field(default_factory=dict)
    copies: dict[str, float] = field(default_factory=dict)
    midnight_in: tuple[str, ...] = ()
    clocks: tuple[str, ...] = ()

    def faulty(self, column: str, fault: str = "unreadable") -> list[Example]:
        """Return the examples of one fault of a column."""
        return [e for e in self.examples if e.column == column and e.fault == fault]

    def examples_of(self, column: str, fault: str = "unreadable") -> str:
        """Return the faulty values of a column for a sentence, e.g. "`x` in row 3"."""
        return ", ".join(str(example) for example in self.faulty(column, fault))

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; dates are ISO text."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self), default=date.isoformat))
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Create evidence from the values of `to_json`."""
        values = dict(document)
        for name in ("repeated_in", "dropped", "filled", "thin", "crowded"):
            values[name] = tuple(date.fromisoformat(day) for day in values.get(name, ()))
        for name in ("midnight_in", "clocks"):
            values[name] = tuple(values.get(name, ()))
        if values["source_last_day"]:
            values["source_last_day"] = date.fromisoformat(values["source_last_day"])
        values["turned"] = Example(**values["turned"]) if values.get("turned") else None
        values["examples"] = tuple(Example(**example) for example in values.get("examples", ()))
        values["notices"] = tuple(
            Notice(**{**notice, "period": date.fromisoformat(notice["period"])})
            for notice in values["notices"]
        )
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The data that a run is trained on. `columns` are names in the file; the first is the date."""

    path: Path
    rows: int
    columns: tuple[str, ...]
    sha256: str
    fingerprint: str
    sql: tuple[str, ...]
    source: str
    first_date: date
    last_date: date
    seconds: float
    evidence: Evidence = field(default_factory=Evidence)
    annotations: Annotations | None = None

    @property
    def date_column(self) -> str:
        """Return the name of the date column in the file."""
        return self.columns[0]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load an existing snapshot, e.g. from an earlier attempt of the same run.

        Raises:
            DataError: The file is not a snapshot.
        """
        try:
            parquet = pq.ParquetFile(path)
            document = json.loads(parquet.metadata.metadata[METADATA_KEY])
            dates = parquet.read(columns=[parquet.schema_arrow.names[0]])[0]
        except (KeyError, ValueError, pa.ArrowException) as error:
            raise DataError(f"`{path.name}` is not a snapshot of MMM Trainer: {error}") from None
        annotations = document.get("annotations")
        return cls(
            path=path,
            rows=parquet.metadata.num_rows,
            columns=tuple(parquet.schema_arrow.names),
            sha256=file_sha256(path),
            fingerprint=document["fingerprint"],
            sql=tuple(document["sql"]),
            source=document["source"],
            first_date=dates[0].as_py(),
            last_date=dates[len(dates) - 1].as_py(),
            seconds=0.0,
            evidence=Evidence.from_json(document["evidence"]),
            annotations=Annotations.from_json(annotations) if annotations else None,
        )

    def timed(self, seconds: float) -> Self:
        """Return the snapshot with the seconds that its extraction took."""
        return replace(self, seconds=seconds)


def write(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    to: Path,
    *,
    sql: tuple[str, ...],
    source: str,
    evidence: Callable[[], Evidence],
    annotations: Annotations | None = None,
) -> Snapshot:
    """Write batches as a snapshot; an error leaves no partial file.

    A second thread encodes and hashes each batch while the next one is fetched. So memory holds at
    most two batches.

    Args:
        batches: The rows, with the date in the first column.
        schema: The schema of every batch.
        to: The Parquet file to write.
        sql: The queries that produced the rows.
        source: The source's description.
        evidence: Returns the evidence; called once, after the last batch.
        annotations: The dated events. They are part of the fingerprint, because a moved event may
            leave every cell unchanged.

    Raises:
        DataError: The batches have no rows.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = to.with_name(f"{to.name}.part")
    rows, first, last = 0, None, None
    try:
        with _SnapshotFile(partial, schema) as file:
            with ThreadPoolExecutor(1, "snapshot") as executor:
                added: Future[None] | None = None
                for batch in batches:
                    if batch.num_rows == 0:
                        continue
                    if added is not None:
                        added.result()
                    added = executor.submit(file.add, batch)
                    first = first or batch.column(0)[0].as_py()
                    last = batch.column(0)[-1].as_py()
                    rows += batch.num_rows
                if added is not None:
                    added.result()
            if first is None or last is None:
                raise DataError(f"{source} has no rows in the date window")
            counted = evidence()
            fingerprint = file.fingerprint.hexdigest()
            if annotations is not None:
                fingerprint = sha256_hex(f"{fingerprint}|{annotations.digest}".encode())
            sha256 = file.finish(
                {
                    "sql": list(sql),
                    "source": source,
                    "evidence": counted.to_json(),
                    "annotations": annotations.to_json() if annotations else None,
                    "fingerprint": fingerprint,
                }
            )
        partial.replace(to)
    finally:
        partial.unlink(missing_ok=True)
    return Snapshot(
        path=to,
        rows=rows,
        columns=tuple(schema.names),
        sha256=sha256,
        fingerprint=fingerprint,
        sql=sql,
        source=source,
        first_date=first,
        last_date=last,
        seconds=0.0,
        evidence=counted,
        annotations=annotations,
    )


class _SnapshotFile:
    """A Parquet file that is being written, with running hashes of its bytes and its values."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        # most numbers are unique, so a dictionary or compression would cost time and save little
        texts = {column.name for column in schema if pa.types.is_string(column.type)}
        self._writer = pq.ParquetWriter(
            path,
            schema,
            use_dictionary=list(texts),
            compression={name: "zstd" if name in texts else "none" for name in schema.names},
            write_statistics=False,
        )
        self._written = path.open("rb")
        self._hash = hashlib.sha256()
        self.fingerprint = Fingerprint(schema)

    def add(self, batch: pa.RecordBatch) -> None:
        """Write a batch as a row group."""
        self._writer.write_batch(batch)
        self._hash.update(self._written.read())
        self.fingerprint.update(batch)

    def finish(self, document: dict[str, Any]) -> str:
        """Write the metadata and return the SHA-256 of the whole file."""
        self._writer.add_key_value_metadata({METADATA_KEY: canonical_json(document)})
        self._writer.close()
        self._hash.update(self._written.read())
        return self._hash.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()
        self._written.close()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
