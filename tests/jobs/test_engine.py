"""Which engine `auto` selects, and what is refused because of it before anything is read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contract import layout
from contract.run import State, read_status
from contract.training import Engine
from job.train.engine import engine_here
from mmm.commands import app
from tests.runs import ROOT, WEEKLY, Place, needs_r
from tests.unit.train.test_engine import rscript


@pytest.mark.parametrize("engine", ["auto", "robyn"])
def test_it_is_refused_before_the_extract(tmp_path: Path, engine: str) -> None:
    training = (
        f"training: {{engine: {engine}, add_penalty_factor: true, "
        "hyperparameters: {TV_GRP_penalty: [0.2, 0.5]}}"
    )
    place = Place(tmp_path, f"{WEEKLY}{training}\n".replace("de_weekly.csv", "no_such_file.csv"))
    code, lines = place.run("nightly", MMM_RSCRIPT=rscript(tmp_path, "robyn"))
    assert code == 64, lines[-3:]
    told = " ".join(line["message"] for line in lines)
    assert (
        "hyperparameters.TV_GRP_penalty` is refused: Robyn does not take the range of a penalty"
        in told
    )
    assert "no_such_file" not in told
    (event,) = place.events()
    if engine == "robyn":  # known from the config alone: there is no run
        assert event["type"] == "mmm.run.rejected"
        return
    (run_id,) = place.run_ids()
    status = read_status(place.store, run_id)
    assert status is not None
    assert (status.state, event["data"]["error"]["code"]) == (State.FAILED, 64)
    assert place.store.stat(layout.work(run_id, "snapshot.parquet")) is None


@pytest.fixture
def r_root(tmp_path: Path) -> Path:
    """The R scripts of a project whose own library has a package named Robyn."""
    if not (ROOT / ".r-library/mmmtrainer").is_dir():
        pytest.skip("the R package mmmtrainer is not installed; run `make setup`")
    root, library = tmp_path / "project/r", tmp_path / "project/.r-library"
    root.mkdir(parents=True)
    for script in ("run_all.R", "library.R"):
        shutil.copy(ROOT / "r" / script, root)
    shutil.copytree(ROOT / ".r-library/mmmtrainer", library / "mmmtrainer")
    (library / "Robyn").mkdir()
    (library / "Robyn/DESCRIPTION").write_text("Package: Robyn\nVersion: 0.0.1\n")
    return root


@needs_r
@pytest.mark.parametrize("exported", [False, True])
def test_the_projects_library_is_found_with_and_without_r_libs(
    r_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exported: bool
) -> None:
    if exported:
        monkeypatch.setenv("R_LIBS", str(r_root.parent / ".r-library"))
    else:
        monkeypatch.delenv("R_LIBS", raising=False)
    monkeypatch.setenv("MMM_R_ROOT", str(r_root))
    assert engine_here(Engine.AUTO, rscript="Rscript", r_root=r_root) == "robyn"
    planned = CliRunner().invoke(
        app, ["plan", str(ROOT / "examples/configs/de_weekly.yaml"), "--json", "--rows", "200",
              "--bucket", str(tmp_path / "bucket")],
    )  # fmt: skip
    assert json.loads(planned.stdout)["estimate"]["work"]["engine"] == "robyn"
