"""Train a finished run again from what it left, and compare the artifacts to the byte."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

from contract import layout
from contract.exceptions import ConfigError
from contract.stores import Store
from contract.stores.folder import FolderStore
from job.ending import Ending
from job.outputs.manifest import Manifest, Versions, read_manifest
from job.runtime.progress import open_log
from job.sources.snapshot import file_sha256
from job.start import start
from mmm.compare.again import required_data_of

# They hold times or the place of a run, or depend on the runs before it.
NOT_COMPARED = (
    "report.html",
    "timings.json",
    "robyn_console.log",
    "data_quality.json",
    "OutputModels.RDS",
    "OutputCollect.RDS",
)
MOST_DETAILS = 5  # of one file


class File(BaseModel, frozen=True):
    """An artifact in both trainings; `differences` says what differs, if it can be read."""

    path: str
    is_equal: bool
    before_sha256: str | None
    after_sha256: str | None
    differences: list[str] = []


class Version(BaseModel, frozen=True):
    """A version that is not the one that trained the run."""

    name: str
    before: str | None
    after: str | None


class Replay(BaseModel, frozen=True):
    """The result of `mmm replay`.

    Attributes:
        is_equal: whether every compared artifact has the same bytes.
        not_compared: artifacts that hold times, or depend on the runs before.
        versions: what differs between the two environments.
    """

    run_id: str
    is_equal: bool
    files: list[File]
    not_compared: list[str]
    versions: list[Version]


def prepare(store: Store, run: Manifest, folder: Path) -> Path:
    """Make a bucket in a folder that holds the run's request and data; return its path.

    Raises:
        ConfigError: the run's data is no longer stored, or is not what it was trained on.
    """
    data = required_data_of(store, run, folder)
    if file_sha256(data) != run.data.sha256:
        raise ConfigError(f"the stored data of run {run.run_id} is not what it was trained on")
    bucket = FolderStore(folder / "bucket")
    request = layout.request(run.run_id)
    bucket.write(request, store.read(request).data)
    bucket.upload(data, layout.work(run.run_id, "snapshot.parquet"))
    return folder / "bucket"


def train_again(run: Manifest, bucket: Path) -> tuple[Ending, Manifest | None]:
    """Train the run in a bucket that `prepare` made; its manifest is None if it has no result."""
    log, view = open_log("console")
    ending = start(
        config_uri=None,
        run_id=run.run_id,
        force=True,
        via="execution",
        bucket=str(bucket),
        topic=str(bucket.parent / "events.jsonl"),
        log=log,
        view=view,
    )
    return ending, read_manifest(FolderStore(bucket), run.revision, run.market, run.run_id)


def compare(store: Store, before: Manifest, other: Store, after: Manifest) -> Replay:
    """Compare the artifacts of two trainings of one run.

    Args:
        store: The bucket of the run.
        before: The manifest of the run.
        other: The bucket of the second training.
        after: Its manifest.
    """
    one, two = ({a.path: a.sha256 for a in m.artifacts} for m in (before, after))
    folder = layout.artifacts(before.revision, before.market, before.run_id)
    files = []
    for path in sorted({*one, *two} - set(NOT_COMPARED)):
        is_equal = one.get(path) == two.get(path)
        differences: list[str] = []
        if not is_equal and path in one and path in two:
            contents = (s.read(f"{folder}{path}").data for s in (store, other))
            differences = list(_differences(path, *contents))[:MOST_DETAILS]
        files.append(
            File(
                path=path,
                is_equal=is_equal,
                before_sha256=one.get(path),
                after_sha256=two.get(path),
                differences=differences,
            )
        )
    return Replay(
        run_id=before.run_id,
        is_equal=all(file.is_equal for file in files),
        files=files,
        not_compared=[path for path in NOT_COMPARED if path in one],
        versions=list(_versions(before.versions, after.versions)),
    )


def _differences(path: str, before: bytes, after: bytes) -> Iterator[str]:
    """Say what differs in a table or a JSON document."""
    if path.endswith(".parquet"):
        tables = (pq.read_table(pa.BufferReader(data)) for data in (before, after))
        yield from _table_differences(*tables)
    elif path.endswith(".json"):
        yield from _json_differences("", json.loads(before), json.loads(after))


def _table_differences(before: pa.Table, after: pa.Table) -> Iterator[str]:
    if before.num_rows != after.num_rows:
        yield f"{before.num_rows} rows became {after.num_rows}"
        return
    for name in before.column_names:
        if name not in after.column_names:
            yield f"`{name}` is missing"
        elif not before[name].equals(after[name]):
            yield f"`{name}` differs{_by_how_much(before[name], after[name])}"


def _by_how_much(before: pa.ChunkedArray, after: pa.ChunkedArray) -> str:
    pairs = list(zip(before.to_pylist(), after.to_pylist(), strict=True))
    unequal = [(a, b) for a, b in pairs if a != b]
    numbers = [(a, b) for a, b in unequal if isinstance(a, float) and isinstance(b, float)]
    most = max((abs(a - b) / max(abs(a), abs(b)) for a, b in numbers if a or b), default=None)
    by = f", by at most {most:.1%}" if most and math.isfinite(most) else ""
    return f" in {len(unequal)} of {len(pairs)} rows{by}"


def _json_differences(place: str, before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in {**before, **after}:
            where = f"{place}.{name}" if place else name
            yield from _json_differences(where, before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, two) in enumerate(zip(before, after, strict=True)):
            yield from _json_differences(f"{place}[{index}]", one, two)
    elif before != after:
        yield f"`{place}` was {before!r}, is {after!r}"


def _versions(before: Versions, after: Versions) -> Iterator[Version]:
    flat = [
        {
            "mmm-trainer": versions.mmm_trainer,
            "image": versions.image,
            "Python": versions.python,
            "R": versions.r,
            "Robyn": versions.robyn,
            **{f"Python package {name}": text for name, text in versions.python_packages.items()},
            **{f"R package {name}": text for name, text in versions.r_packages.items()},
        }
        for versions in (before, after)
    ]
    for name in {**flat[0], **flat[1]}:
        one, two = flat[0].get(name), flat[1].get(name)
        if one != two:
            yield Version(name=name, before=one, after=two)
