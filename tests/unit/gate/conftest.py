"""The sound table of the examples, and a run of the gate over what a test makes of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from examples.faults import judge, sound
from job.gate import Outcome, Verdict


@pytest.fixture
def weekly() -> pd.DataFrame:
    """160 Mondays up to 2024-01-01, nothing wrong with them."""
    return sound()


@pytest.fixture
def gate(tmp_path: Path) -> Callable[..., Verdict]:
    """Write the frame as CSV, extract it, check it."""
    return partial(judge, folder=tmp_path)


def named(verdict: Verdict) -> set[str]:
    """Names of the checks that did not pass."""
    return {finding.name for finding in verdict.checks if finding.outcome is not Outcome.PASS}
