"""Imports point one way, no module imports itself by a detour, and the map names every folder."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {
    "contract": {"contract"},
    "trigger": {"trigger", "contract"},
    "job": {"job", "contract"},
    "mmm": {"mmm", "job", "trigger", "contract"},
    "app": {"app", "mmm", "job", "trigger", "contract"},
}


def modules() -> dict[str, Path]:
    files = [file for package in ALLOWED for file in (ROOT / package).rglob("*.py")]
    return {name_of(file): file for file in files}


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(file: Path, known: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else node.module for name in inner)


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_a_package_imports_only_what_is_below_it(package: str) -> None:
    known = modules()
    for name, file in known.items():
        if name.split(".")[0] == package:
            imported = {one.split(".")[0] for one in imports(file, known)} & ALLOWED.keys()
            assert imported <= ALLOWED[package], name


def test_no_module_imports_itself_by_a_detour() -> None:
    known = modules()
    graph = {name: {i for i in imports(file, known) if i in known} for name, file in known.items()}
    for name, targets in graph.items():  # a package and its own modules are one
        targets -= {t for t in targets if name.startswith(f"{t}.") or t == name}
    TopologicalSorter(graph).prepare()  # raises CycleError


def test_the_rooms_of_the_job_form_no_circle() -> None:
    known = modules()
    rooms: dict[str, set[str]] = {}
    for name, file in known.items():
        if name.startswith("job."):
            room = name.split(".")[1]
            targets = {i.split(".")[1] for i in imports(file, known) if i.startswith("job.")}
            rooms.setdefault(room, set()).update(targets - {room})
    TopologicalSorter(rooms).prepare()  # raises CycleError


def test_the_map_names_every_folder() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    if not listed:
        pytest.skip("not a git checkout")
    text = (ROOT / "docs" / "architecture.md").read_text()
    folders = {path.split("/")[0] for path in listed if "/" in path}
    rooms = {f.name for f in (ROOT / "job").iterdir() if f.is_dir() and f.name != "__pycache__"}
    assert sorted(name for name in folders | rooms if f"{name}/" not in text) == []
