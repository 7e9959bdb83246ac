"""The wheel in the environment that it ships into, the job's image: its own requirements, no more."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environments import Environment, environment

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("contract", "job", "mmm", "trigger")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, built from what the image copies."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in copied_to("/src/"):
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source],
        check=True,
        capture_output=True,
    )
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def shipped(cache: Path, wheel: Path) -> Iterator[Environment]:
    """An environment of the job's requirements, and the wheel."""
    try:
        with environment(cache, ROOT / "job" / "requirements.txt") as made:
            made.install("--no-deps", wheel)
            yield made
    except OSError as error:
        pytest.skip(str(error))


def copied_to(folder: str) -> list[str]:
    """What the Dockerfile copies into a folder of the image."""
    text = (ROOT / "docker" / "Dockerfile").read_text()
    lines = re.findall(rf"^COPY (?!--from)(.+) {folder}", text, re.M)
    return [name for line in lines for name in line.split()]


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.*")
        if path.is_file() and "__pycache__" not in path.parts and "requirements" not in path.name
    }
    names = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    assert names == wanted


def test_every_module_is_imported(shipped: Environment, tmp_path: Path) -> None:
    seen, failures = shipped.import_all(*PACKAGES, cwd=tmp_path)
    # What serves the function needs a web framework, which only the function's own archive brings.
    assert failures.keys() == {"trigger.main"}
    assert "No module named 'flask'" in failures["trigger.main"]
    assert {"job.sources.bigquery", "mmm.commands.serve", "trigger.accept"} <= seen


def test_it_knows_its_version(shipped: Environment, tmp_path: Path) -> None:
    code = "from job.outputs.manifest import versions; print(versions(image=None, result={}).mmm_trainer)"
    done = shipped.run(shipped.python, "-c", code, cwd=tmp_path)
    assert (done.stdout, done.stderr) == (f"{VERSION}\n", "")
    done = shipped.run(shipped.bin / "mmm", "--version", cwd=tmp_path)
    assert (done.stdout, done.stderr) == (f"mmm {VERSION}\n", "")


@pytest.mark.parametrize("command", [["mmm", "--help"], ["python", "-m", "job", "--help"]])
def test_commands_answer_from_any_folder(
    shipped: Environment, tmp_path: Path, command: list[str]
) -> None:
    done = shipped.run(shipped.bin / command[0], *command[1:], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage" in done.stdout.lower()
