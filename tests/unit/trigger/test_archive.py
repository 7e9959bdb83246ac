"""The source archive: deterministic and complete. tests/packaging serves it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from trigger import archive


def test_equal_sources_give_equal_archives(tmp_path: Path) -> None:
    first = archive.build(tmp_path / "a.zip")
    second = archive.build(tmp_path / "b.zip")
    assert first == second


def test_it_holds_the_function_and_what_it_imports(tmp_path: Path) -> None:
    archive.build(tmp_path / "a.zip")
    names = zipfile.ZipFile(tmp_path / "a.zip").namelist()
    assert {"trigger/main.py", "contract/config.py"} <= set(names)
    tops = {name.split("/")[0] for name in names}
    assert tops == {"contract", "main.py", "requirements.txt", "trigger"}
