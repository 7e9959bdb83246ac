"""Run the Snowflake tests with the oldest connector that is allowed, 4.8, instead of the locked 5."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "tests" / "services" / "requirements-connector-4.txt"


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """A folder with connector 4."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.is_file():
        pytest.skip("uv is not in this environment")
    folder = tmp_path / "overlay"
    made = subprocess.run(
        [
            *(uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", folder),
            *("--require-hashes", "--requirement", REQUIREMENTS),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if made.returncode != 0:
        pytest.skip(f"connector 4 cannot be installed here: {made.stderr.strip()[-200:]}")
    return folder


@pytest.mark.slow
def test_snowflake_by_connector_4(overlay: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(overlay)}
    python = [sys.executable, "-c", "import snowflake.connector as c; print(c.__version__)"]
    version = subprocess.run(python, env=environment, capture_output=True, text=True, check=True)
    assert version.stdout.startswith("4.8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            "tests/services/test_snowflake.py",
        ],
        check=False,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:]
