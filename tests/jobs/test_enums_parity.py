"""Every value that the config accepts is one that R knows, and the other way round."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from contract.calibration import Calibration
from contract.config import AllocatorScenario, Frequency, IntervalMethod, TargetKind
from contract.hyperparameters import LIMITS, Adstock
from contract.training import Engine, Optimiser, ProphetVar, Search, Sign, Training

pytestmark = pytest.mark.xdist_group("enums")
RUN_ALL = Path(__file__).parents[2] / "r" / "run_all.R"

PYTHON = {
    "engine": list(Engine),
    "search": list(Search),
    "frequency": list(Frequency),
    "target_kind": list(TargetKind),
    "adstock": list(Adstock),
    "sign": list(Sign),
    "prophet_var": list(ProphetVar),
    "intercept_sign": get_args(Training.model_fields["intercept_sign"].annotation),
    "nevergrad_algo": list(Optimiser),
    "calibration_scope": get_args(Calibration.model_fields["scope"].annotation),
    "allocator_scenario": list(AllocatorScenario),
    "interval_method": list(IntervalMethod),
}


@pytest.fixture(scope="module")
def r_enums() -> dict[str, list[str]]:
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("Rscript is not installed")
    printed = subprocess.run(
        [rscript, str(RUN_ALL), "--enums"], capture_output=True, text=True, check=True
    )
    enums: dict[str, list[str]] = json.loads(printed.stdout)
    return enums


def test_the_same_enums(r_enums: dict[str, list[str]]) -> None:
    assert set(r_enums) == set(PYTHON)


@pytest.mark.parametrize("name", PYTHON)
def test_the_same_values(r_enums: dict[str, list[str]], name: str) -> None:
    assert set(r_enums[name]) == {str(value) for value in PYTHON[name]}


def test_the_limits_of_hyperparameters_are_robyns() -> None:
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("Rscript is not installed")
    library = f"source('{RUN_ALL.parent / 'library.R'}', chdir = TRUE);"
    ask = f"{library} if (nzchar(system.file(package = 'Robyn'))) cat(jsonlite::toJSON(Robyn::hyper_limits(), dataframe = 'columns'))"
    printed = subprocess.run([rscript, "-e", ask], capture_output=True, text=True, check=True)
    if not printed.stdout:
        pytest.skip("Robyn is not installed")
    for kind, (low, high) in json.loads(printed.stdout).items():
        bounds = LIMITS[kind]
        assert low == f"{'>=' if bounds.low_included else '>'}{bounds.low:g}"
        assert high == f"{'<=' if bounds.high_included else '<'}{bounds.high:g}"
