"""The image's software bill of materials, made of what is installed on this machine."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "docker" / "sbom.py"


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbom", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_python_packages(sbom: ModuleType) -> None:
    found = {row["name"]: row for row in sbom.python([Path(sys.prefix)])}
    assert found["numpy"]["purl"] == f"pkg:pypi/numpy@{found['numpy']['version']}"
    assert "mmm-trainer" not in found
    assert sbom.version([Path(sys.prefix)]).count(".") == 2


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="dpkg is not installed")
def test_debian_packages(sbom: ModuleType) -> None:
    [libc] = (row for row in sbom.debian() if row["name"] == "libc6")
    assert re.fullmatch(r"pkg:deb/debian/libc6@[\w.%-]+\?arch=\w+&upstream=glibc", libc["purl"])


def test_r_packages(sbom: ModuleType, tmp_path: Path) -> None:
    for name in ("Robyn", "mmmtrainer"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "DESCRIPTION").write_text(
            f"Package: {name}\nTitle: a\n  b\nVersion: 1.2\n"
        )
    assert [row["purl"] for row in sbom.r(tmp_path)] == ["pkg:cran/Robyn@1.2"]


def test_a_bill_names_each_package_once_in_order(sbom: ModuleType) -> None:
    rows = [sbom.component("cran", name, "1.0+dfsg") for name in ("b", "a", "b")]
    made = sbom.bill(rows, "0.3.0")
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert [row["purl"] for row in made["components"]] == [
        "pkg:cran/a@1.0%2Bdfsg",
        "pkg:cran/b@1.0%2Bdfsg",
    ]
