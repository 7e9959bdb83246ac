"""`mmm export`: the tables of a run as files; `mmm replay`: what differs between two trainings."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from typer.testing import CliRunner

from contract import layout
from contract.base import sha256_hex
from contract.loading import load_config
from contract.request import Origin, Request
from contract.stores.folder import FolderStore
from job.outputs.manifest import Manifest, Versions
from job.outputs.tables import SCHEMAS
from job.outputs.upload import Artifact
from mmm import replay
from mmm.commands import app
from tests.runs import WEEKLY
from tests.unit.outputs.test_decide import manifest

RUN = "20261123T020000Z-aaaaaaaa"
ROW = {
    "run_id": RUN, "market": "DE", "model_id": "1_1_1", "nrmse": 0.5,
    "hyperparameters": [{"name": "tv_alphas", "value": 2.0}],
}  # fmt: skip


def write(store: FolderStore, files: dict[str, bytes], **changes: object) -> Manifest:
    """Write the artifacts and the manifest of a run."""
    folder = layout.artifacts("r1", "DE", RUN)
    listed = []
    for path, data in files.items():
        store.write(f"{folder}{path}", data)
        digest = sha256_hex(data)
        listed.append(Artifact(path=path, bytes=len(data), crc32c="", sha256=digest))
    made = manifest(RUN).model_copy(update={"artifacts": listed, **changes})
    store.write(layout.manifest("r1", "DE", RUN), made.to_json())
    return made


def table(name: str, *rows: dict[str, object]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), SCHEMAS[name]), buffer)
    return buffer.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "bucket")
    resolved = load_config(WEEKLY)
    request = Request.of(resolved, run_id=RUN, origin=Origin(via="command"), force=False)
    store.write(layout.request(RUN), request.to_json())
    files = {
        "metrics.json": b"{}",
        "tables/models.parquet": table("models", ROW, {**ROW, "hyperparameters": None}),
        "tables/pareto.parquet": table("pareto"),
    }
    write(store, files)
    return store


def export(store: FolderStore, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["export", *arguments, "--bucket", str(store.root)])


def test_tables_become_csv(store: FolderStore, tmp_path: Path) -> None:
    done = export(store, "csv", RUN, "--output", str(tmp_path / "out"))
    assert done.stdout.splitlines() == [
        f"{tmp_path}/out/models.csv  2 rows", f"{tmp_path}/out/pareto.csv  0 rows",
    ]  # fmt: skip
    with (tmp_path / "out" / "models.csv").open() as file:
        one, other = csv.DictReader(file)
    assert list(one) == SCHEMAS["models"].names
    assert (one["nrmse"], json.loads(one["hyperparameters"])) == ("0.5", {"tv_alphas": 2.0})
    assert other["hyperparameters"] == ""


def test_a_parquet_file_is_that_of_the_run(store: FolderStore, tmp_path: Path) -> None:
    options = ("--table", "models", "--output", str(tmp_path), "--json")
    done = json.loads(export(store, "parquet", RUN, *options).stdout)
    assert done == {"table": "models", "path": f"{tmp_path}/models.parquet", "rows": 2}
    assert pq.read_schema(done["path"]).equals(SCHEMAS["models"])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["excel", RUN], "FORMAT is `excel`; allowed: csv, parquet"),
        (["csv", RUN, "--table", "no"], "`--table` is `no`; allowed: models, pareto"),
        (["csv", "IT"], "`IT` has no current run"),
        (["csv", RUN, "--output", "FILE"], "cannot be written"),
        (["csv", RUN, "--output", "FULL"], "exists; choose another `--output`"),
    ],
)
def test_what_cannot_be_exported_is_named(
    store: FolderStore, tmp_path: Path, arguments: list[str], problem: str
) -> None:
    (tmp_path / "FILE").write_text("")
    (tmp_path / "FULL").mkdir()
    (tmp_path / "FULL" / "models.csv").write_text("")
    places = [str(tmp_path / one) if one in ("FILE", "FULL") else one for one in arguments]
    done = export(store, *places)
    assert done.exit_code == 64
    assert problem in done.stderr


def test_a_replay_says_what_differs(store: FolderStore, tmp_path: Path) -> None:
    before = Manifest.from_json(store.read(layout.manifest("r1", "DE", RUN)).data, path="m")
    other = FolderStore(tmp_path / "other")
    files = {
        "metrics.json": b'{"rsq": 0.5}',
        "tables/models.parquet": table("models", {**ROW, "nrmse": 0.55}, ROW | {"market": "FR"}),
        "report.html": b"another time",
        "new.png": b"",
    }
    versions = Versions(mmm_trainer="2", image=None, python="3", python_packages={"numpy": "2"})
    found = replay.compare(store, before, other, write(other, files, versions=versions))
    assert not found.is_equal
    assert {file.path: file.differences for file in found.files} == {
        "metrics.json": ["`rsq` was None, is 0.5"],
        "new.png": [],
        "tables/models.parquet": [
            "`market` differs in 1 of 2 rows",
            "`nrmse` differs in 1 of 2 rows, by at most 9.1%",
            "`hyperparameters` differs in 1 of 2 rows",
        ],
        "tables/pareto.parquet": [],
    }
    assert [(v.name, v.before, v.after) for v in found.versions] == [
        ("mmm-trainer", "1", "2"), ("Python package numpy", None, "2"),
    ]  # fmt: skip
    same = replay.compare(store, before, store, before)
    assert same.is_equal
    assert not same.versions


def _nothing(_: FolderStore) -> None: ...


def _other_data(store: FolderStore) -> None:
    store.write(layout.work(RUN, "snapshot.parquet"), b"other")


@pytest.mark.parametrize(
    ("change", "problem"),
    [(_nothing, "is no longer stored"), (_other_data, "is not what it was trained on")],
)
def test_a_run_without_its_data_cannot_be_replayed(
    store: FolderStore, change: Callable[[FolderStore], None], problem: str
) -> None:
    change(store)
    done = CliRunner().invoke(app, ["replay", RUN, "--bucket", str(store.root)])
    assert (done.exit_code, done.stdout) == (64, "")
    assert problem in done.stderr
