"""The healthy table of the examples, and a function that runs the gate on a changed table."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from examples.healthy import check_frame, healthy_table
from job.gate import Outcome, Verdict


@pytest.fixture
def weekly() -> pd.DataFrame:
    """Return 160 healthy weeks up to 2024-01-01."""
    return healthy_table()


@pytest.fixture
def gate(tmp_path: Path) -> Callable[..., Verdict]:
    """Return a function that writes a frame as CSV, extracts it and checks it."""
    return partial(check_frame, folder=tmp_path)


def named(verdict: Verdict) -> set[str]:
    """Return the names of the checks that did not pass."""
    return {finding.name for finding in verdict.checks if finding.outcome is not Outcome.PASS}
