"""`mmm doctor` on machines that lack something: each line has its remedy."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mmm import machine
from mmm.commands import app
from tests.runs import ROOT, needs_r

FACTS = "R\t4.2.2\nproblem\t\nglmnet\t4.1\nprophet\t1.0\nnloptr\t2.0\nreticulate\t\n"


def doctor(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--bucket", str(folder / "bucket"), *options])


def checks(folder: Path) -> dict[str, dict[str, str]]:
    done = doctor(folder, "--only", "machine", "--json")
    return {one["check"]: one for one in map(json.loads, done.stdout.splitlines())}


def use_r(folder: Path, monkeypatch: pytest.MonkeyPatch, *, prints: str, code: int = 0) -> None:
    """Put a program in the place of Rscript."""
    (folder / "facts").write_text(prints)
    program = folder / "Rscript"
    program.write_text(f"#!/bin/sh\ncat {folder}/facts\nexit {code}\n")
    program.chmod(0o755)
    monkeypatch.setenv("MMM_RSCRIPT", str(program))
    monkeypatch.setenv("RETICULATE_PYTHON", sys.executable)


def test_what_is_missing_has_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = FACTS.replace("glmnet\t4.1", "glmnet\t") + "Robyn\t\npicture\t\n"
    use_r(tmp_path, monkeypatch, prints=facts)
    monkeypatch.setattr(machine, "LEAST_DISK_GIB", 1e9)
    monkeypatch.setattr(machine, "LEAST_GIB_PER_CORE", 1e9)
    found = checks(tmp_path)
    levels = {name: one["level"] for name, one in found.items()}
    assert levels == {
        "python": "ok", "disk": "warn", "memory": "warn", "clock": "ok", "R": "ok",
        "glmnet": "fail", "prophet": "ok", "nloptr": "ok", "mmmtrainer": "ok", "Robyn": "warn",
        "pictures": "warn", "nevergrad": "fail",
    }  # fmt: skip
    assert all(one["remedy"] for one in found.values() if one["level"] != "ok")
    text = doctor(tmp_path)
    assert text.exit_code == 69
    assert "fail  glmnet: is not installed\n  remedy: run `make setup`\n" in text.stdout
    assert text.stdout.endswith("no damaged objects\n")
    assert not (tmp_path / "bucket").exists()


@pytest.mark.parametrize(
    ("prints", "code", "problem"),
    [("Error in library", 1, "R says: nothing"), ("R\t4.2.2\n", 0, "R says: nothing")],
)
def test_an_r_that_fails_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prints: str, code: int, problem: str
) -> None:
    use_r(tmp_path, monkeypatch, prints=prints, code=code)
    assert checks(tmp_path)["R"]["message"] == problem
    monkeypatch.setenv("MMM_RSCRIPT", str(tmp_path / "none"))
    assert "is not installed" in checks(tmp_path)["R"]["message"]


@needs_r
def test_the_real_r_answers(tmp_path: Path) -> None:
    if not (ROOT / ".r-library" / "mmmtrainer").is_dir():
        pytest.skip("the R package is not installed; run `make setup`")
    done = doctor(tmp_path, "--only", "machine")
    assert done.exit_code == 0, done.stdout
    assert "ok    mmmtrainer: " in done.stdout
