"""Run the Snowflake tests with connector 5 and pandas 3 instead of the locked versions.

The fake server stays in the locked environment, because fakesnow needs connector 4.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "tests" / "requirements-connector-5.txt"


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """A folder with the newer packages."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.is_file():
        pytest.skip("uv is not in this environment")
    folder = tmp_path / "overlay"
    made = subprocess.run(
        [
            *(uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", folder),
            *("--no-deps", "--require-hashes", "--requirement", REQUIREMENTS),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if made.returncode != 0:
        pytest.skip(f"connector 5 cannot be installed here: {made.stderr.strip()[-200:]}")
    return folder


@pytest.mark.slow
def test_snowflake_by_connector_5_and_pandas_3(overlay: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(overlay)}
    look = "import pandas, snowflake.connector as c; print(c.__version__, pandas.__version__)"
    python = [sys.executable, "-c", look]
    versions = subprocess.run(python, env=environment, capture_output=True, text=True, check=True)
    connector, pandas = versions.stdout.split()
    assert (connector.split(".")[0], pandas.split(".")[0]) == ("5", "3")
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
