"""Lock files: every package at one version, by its hashes, and from no index in particular."""

from __future__ import annotations

import re
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
