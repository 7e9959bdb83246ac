"""Lock files: every package at one version, by its hashes, and from no index in particular."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*requirements*.txt", "*/requirements*.txt")
    for path in ROOT.glob(pattern)
)
ENTRY = re.compile(
    r"[A-Za-z0-9._-]+(\[[a-z0-9,_-]+\])?==[^\s;]+( ; [^\\]+)?( --hash=sha256:[0-9a-f]{64})+"
)


def test_all_locks_are_looked_at() -> None:
    assert {"job/requirements.txt", "trigger/requirements.txt", "requirements-dev.txt"} < set(LOCKS)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_by_hash_and_names_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    logical = [re.sub(r"\s+", " ", line) for line in re.sub(r"\\\n\s*", "", text).splitlines()]
    entries = [line for line in logical if line.strip() and not line.startswith("#")]
    assert entries
    wrong = [entry for entry in entries if not ENTRY.fullmatch(entry.strip())]
    assert not wrong, "a version, its hashes and nothing else"
    assert "://" not in text


@pytest.mark.parametrize(
    "path",
    [
        "pyproject.toml",
        "r/requirements-nevergrad.in",
        "tests/fakes/requirements-fakesnow.in",
        "trigger/requirements.in",
        "docker/tools.in",
    ],
)
def test_every_upper_bound_has_its_reason_beside_it(path: str) -> None:
    lines = (ROOT / path).read_text().splitlines()
    bounds = [
        n for n, line in enumerate(lines) if re.search(r"^[^#]*[\w\]](<|==|~=|.*,<)[\d=]", line)
    ]
    bare = [
        lines[n] for n in bounds if not any("#" in line for line in lines[max(0, n - 4) : n + 1])
    ]
    assert not bare


def test_one_list_of_supported_pythons() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    low, high = map(int, re.findall(r"3\.(\d+)", asked))
    script = (ROOT / "scripts" / "setup-python.sh").read_text()
    supported = re.search(r"in \((.*)\)'", script)
    assert supported
    assert re.findall(r"\(3, (\d+)\)", supported[1]) == [str(n) for n in range(low, high)]
    assert f"Python 3.{low} to 3.{high - 1}" in script


def test_the_lowest_lock_has_the_lowest_versions_that_are_allowed() -> None:
    allowed = dict(
        re.findall(r'^ +"([\w-]+)>=([\d.]+)', (ROOT / "pyproject.toml").read_text(), re.M)
    )
    lock = (ROOT / "requirements-lowest.txt").read_text()
    for name in ("duckdb", "numpy", "pandas", "pyarrow", "sqlglot"):
        assert re.search(rf"^{name}=={re.escape(allowed[name])}(\.0)*( |$)", lock, re.M), name
