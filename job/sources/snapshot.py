"""The snapshot: immutable Parquet with one row per period, and what was seen while reading it.

Values and evidence lie in one file: the evidence is JSON in the Parquet file's metadata, so a
retry that finds the file needs nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from contract.base import canonical_json, sha256_hex
from contract.exceptions import DataError
from job.sources.annotations import Annotations
from job.sources.fingerprint import Fingerprint

METADATA_KEY = b"mmm"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Rows behind one period of one column that are not as they should be."""

    column: str
    period: date
    missing: int = 0
    unreadable: int = 0
    negative: int = 0


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the query counted of the rows behind the periods.

    In a table with rows of every day, `thin` periods lack `missing_days` of them; in one with a row
    per period, `crowded` periods have rows of several days.
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

    def to_json(self) -> dict[str, Any]:
        """Plain values, dates as ISO text."""
        made: dict[str, Any] = json.loads(json.dumps(asdict(self), default=date.isoformat))
        return made

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read what `to_json` made."""
        values = dict(document)
        for name in ("repeated_in", "dropped", "filled", "thin", "crowded"):
            values[name] = tuple(date.fromisoformat(day) for day in values.get(name, ()))
        if values["source_last_day"]:
            values["source_last_day"] = date.fromisoformat(values["source_last_day"])
        values["notices"] = tuple(
            Notice(**{**notice, "period": date.fromisoformat(notice["period"])})
            for notice in values["notices"]
        )
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a run is trained on. `columns` are names in the file; the first is the date."""

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
        """Name of the date column in the file."""
        return self.columns[0]

    def describe(self) -> dict[str, Any]:
        """What the manifest says of the snapshot."""
        return {
            "rows": self.rows,
            "columns": list(self.columns),
            "sha256": self.sha256,
            "fingerprint": self.fingerprint,
            "sql": list(self.sql),
            "source": self.source,
            "first_date": self.first_date.isoformat(),
            "last_date": self.last_date.isoformat(),
            "rows_read": self.evidence.rows_read,
            "seconds": round(self.seconds, 3),
        }

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a snapshot that was written before, e.g. by an earlier attempt of the same run.

        Raises:
            DataError: the file is not a snapshot.
        """
        try:
            parquet = pq.ParquetFile(path)
            document = json.loads(parquet.metadata.metadata[METADATA_KEY])
            dates = parquet.read(columns=[parquet.schema_arrow.names[0]])[0]
        except (KeyError, ValueError, pa.ArrowException) as error:
            raise DataError(f"`{path.name}` is not a snapshot of this project: {error}") from None
        kept = document.get("annotations")
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
            annotations=Annotations.from_json(kept) if kept else None,
        )

    def timed(self, seconds: float) -> Self:
        """The same snapshot with the seconds that making it took."""
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
    """Write batches of the given schema as a snapshot, whole or not at all.

    A batch is encoded and hashed in a second thread while the next one is fetched, so memory is
    bounded by the two largest batches; `evidence` is asked for once all have passed. Events count
    in the fingerprint: moved within a week they change no cell, but what was asked for.

    Raises:
        DataError: there is no row.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = to.with_name(f"{to.name}.part")
    rows, first, last = 0, None, None
    try:
        with _File(partial, schema) as file:
            with ThreadPoolExecutor(1, "snapshot") as beside:
                added: Future[None] | None = None
                for batch in batches:
                    if batch.num_rows == 0:
                        continue
                    if added is not None:
                        added.result()
                    added = beside.submit(file.add, batch)
                    first = first or batch.column(0)[0].as_py()
                    last = batch.column(0)[-1].as_py()
                    rows += batch.num_rows
                if added is not None:
                    added.result()
            if first is None or last is None:
                raise DataError(f"{source} has no rows in the date window")
            seen = evidence()
            fingerprint = file.prints.hexdigest()
            if annotations is not None:
                fingerprint = sha256_hex(f"{fingerprint}|{annotations.digest}".encode())
            sha256 = file.finish(
                {
                    "sql": list(sql),
                    "source": source,
                    "evidence": seen.to_json(),
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
        evidence=seen,
        annotations=annotations,
    )


class _File:
    """A Parquet file in the making; the hash of its bytes and that of its values follow."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        # most numbers come once, so a dictionary and compression gain nothing but work
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
        self.prints = Fingerprint(schema)

    def add(self, batch: pa.RecordBatch) -> None:
        """Write a batch as a row group."""
        self._writer.write_batch(batch)
        self._hash.update(self._written.read())
        self.prints.update(batch)

    def finish(self, document: dict[str, Any]) -> str:
        """Write the metadata; returns the SHA-256 of the whole file."""
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
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def same_data(config_hash: str, snapshot: Snapshot) -> str:
    """What two runs share if they would train the same: config and data, not bytes or places."""
    return sha256_hex(f"{config_hash}|{snapshot.fingerprint}".encode())
