"""Prices, machines, the size of a run, and the prediction of its time."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cost import fit
from contract.config import Config
from contract.exceptions import ConfigError
from contract.loading import load_config
from job.cost.estimate import actual, make_estimate, price
from job.cost.history import History
from job.cost.machine import Machine, cpus, gibibytes, this_machine
from job.cost.memory import needed_gib
from job.cost.model import PARTS, coefficients, predict
from job.cost.prices import load_prices
from job.cost.work import Work, expected_rows, rows_of_window, work_of

MEASURED = Path(__file__).resolve().parents[3] / "bench" / "task_memory" / "result.json"
RESULT = Path(__file__).resolve().parents[3] / "bench" / "cost" / "result.json"
MACHINE = Machine(vcpus=4, gib=8, region="europe-west1")


def config_of(**over: Any) -> Config:
    document: dict[str, Any] = {
        "version": 1,
        "market": "DE",
        "revision": "r1",
        "source": {"type": "file", "path": "table.csv"},
        "date": {"column": "day", "frequency": "week"},
        "target": {"column": "sales"},
        "channels": [{"name": "tv", "spend": "tv"}, {"name": "search", "spend": "search"}],
        "organic": ["mail"],
        "context": ["price"],
        "factors": ["event"],
        "training": {"trials": 5, "iterations": 2000},
        **over,
    }
    return load_config(document).config


def work(**over: Any) -> Work:
    plain = work_of(config_of(), engine="builtin", rows=208, cores=2, tasks=1)
    return Work.model_validate({**plain.model_dump(), **over})


def test_prices_by_region() -> None:
    prices = load_prices()
    assert prices.source.startswith("https://")
    hour = {"seconds": 3600.0, "vcpus": 4.0, "gib": 8.0}
    assert prices.amount(**hour, region="europe-west1") == pytest.approx(0.3168)
    assert prices.amount(**hour, region="europe-west3") == pytest.approx(0.38016)
    assert prices.amount(**hour, region="moon-west1") == pytest.approx(0.38016)
    short, minute = (
        prices.amount(s, vcpus=4, gib=8, region="us-east1") for s in (1.0, prices.minimum_seconds)
    )
    assert short == minute


def test_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    here = this_machine()
    assert here.vcpus >= 1
    assert here.gib > 0
    for name, value in {"CPU": "4000m", "MEMORY": "8192Mi", "REGION": "us-east1"}.items():
        monkeypatch.setenv(f"MMM_{name}", value)
    assert this_machine() == Machine(vcpus=4, gib=8, region="us-east1")
    assert (cpus("2"), gibibytes("512Mi")) == (2, 0.5)


@pytest.mark.parametrize("wrong", ["four", "-1", "0", "4 cores"])
def test_wrong_sizes_name_the_variable_or_option(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMM_CPU", wrong)
    monkeypatch.setenv("MMM_MEMORY", wrong)
    with pytest.raises(ConfigError) as caught:
        this_machine()
    assert caught.value.problems == [
        f"the environment variable MMM_CPU is `{wrong}`; allowed: vCPUs such as 4 or 4000m",
        f"the environment variable MMM_MEMORY is `{wrong}`; allowed: memory such as 8Gi or 512Mi",
    ]
    for parse in (cpus, gibibytes):
        with pytest.raises(ValueError, match=r"vCPUs such as 4|memory such as 8Gi"):
            parse(wrong)


@pytest.mark.parametrize(
    ("window", "rows"),
    [
        ({}, None),
        ({"start": "2024-01-01", "end": "2024-12-29"}, 52),
        ({"start": "2024-01-01", "end": "2024-12-30"}, 53),
        ({"start": "2024-01-01"}, 106),
        ({"start": "2024-01-01", "end": "2030-01-01"}, 106),
        ({"start": "2024-02-01", "end": "2025-01-31", "frequency": "month"}, 12),
        ({"start": "2024-02-01", "end": "2024-03-01", "frequency": "day"}, 30),
    ],
)
def test_rows_of_a_window(window: dict[str, Any], rows: int | None) -> None:
    config = config_of(date={"column": "day", **window})
    assert rows_of_window(config, today=date(2026, 1, 6)) == rows
    closed = rows is not None and "end" in window
    expected = expected_rows(config, today=date(2026, 1, 6), last_run=77)
    assert expected == ((rows, "the date window") if closed else (77, "the last run"))


def test_the_work_of_a_config() -> None:
    config = config_of(training={"trials": 5, "adstock": "weibull_cdf", "iterations": 100})
    robyn_work = work_of(config, engine="robyn", rows=100, cores=2, tasks=8, annotations=3)
    assert (robyn_work.media, robyn_work.drivers, robyn_work.weibull) == (3, 5, True)
    assert (robyn_work.tasks, robyn_work.rounds) == (5, 1)
    assert work(tasks=2, cores=1).rounds == 3
    assert work(tasks=1, cores=2).rounds == 3
    assert Work.model_validate({**robyn_work.model_dump(), "later": 1}) == robyn_work


def test_the_sweeps_of_a_task() -> None:
    test = {"channel": "tv", "start": "2025-01-06", "end": "2025-02-02", "lift": 10.0, "spend": 5.0}
    many: dict[str, Any] = {
        "posterior": {"sweeps": 900},
        "outputs": {"validation": {"folds": 4, "horizon": 4}},
        "calibration": [test],
    }

    def sweeps(tasks: int, **over: Any) -> int:
        return work_of(config_of(**over), engine="robyn", rows=99, cores=2, tasks=tasks).sweeps

    assert (sweeps(1), sweeps(1, posterior={"enabled": False})) == (600, 0)
    assert [sweeps(tasks, **many) for tasks in (1, 2, 3)] == [3000, 2100, 1200]


def test_the_posterior_takes_the_cores_that_r_leaves_free() -> None:
    long, short = work(sweeps=5000, cores=1), work(sweeps=60, cores=1)
    alone = predict(long)
    shared = predict(long.model_copy(update={"cores": 2}))
    assert shared["posterior"] == alone["posterior"] - alone["inputs"] - alone["outputs"] > 0
    assert predict(short)["posterior"] > 0
    assert predict(short.model_copy(update={"cores": 2}))["posterior"] == 0


ROUNDING = 1e-6
SIZES = {
    "rows": st.integers(30, 2000),
    "media": st.integers(1, 60),
    "trials": st.integers(1, 20),
    "iterations": st.integers(10, 20_000),
    "onepagers": st.integers(0, 10),
    "scenarios": st.integers(0, 5),
    "sweeps": st.integers(0, 20_000),
    "weibull": st.booleans(),
    "engine": st.sampled_from(["robyn", "builtin"]),
    "search": st.sampled_from(["fast", "robyn"]),
}


@given(
    sizes=st.fixed_dictionaries(SIZES),
    more=st.sampled_from(
        ["rows", "media", "trials", "iterations", "onepagers", "scenarios", "sweeps"]
    ),
)
def test_more_work_takes_no_less_and_more_cores_no_more(sizes: dict[str, Any], more: str) -> None:
    base = sum(predict(work(**sizes)).values())
    assert base > 0
    larger = sum(predict(work(**{**sizes, more: sizes[more] * 2 + 1})).values())
    assert larger >= base - ROUNDING
    assert sum(predict(work(**sizes, cores=8)).values()) <= base + ROUNDING


def test_the_coefficients_are_the_fit_of_the_measured_runs() -> None:
    result = json.loads(RESULT.read_text())
    assert coefficients() == fit.fit(result)
    for run in result["runs"]:
        predicted = sum(predict(Work.model_validate(run["work"])).values())
        assert predicted == pytest.approx(sum(run["cpu"].values()), rel=0.2), run["case"]


def test_an_estimate_and_the_actual_cost() -> None:
    plain = make_estimate(work(), MACHINE, History(), rows_from="--rows")
    slow = History(ratios={**History().ratios, "trials": 3.0}, runs=2, origin="DE (r1)")
    slower = make_estimate(work(), MACHINE, slow, rows_from="--rows")
    assert slower.parts["trials"] == pytest.approx(3 * plain.parts["trials"])
    assert slower.parts["rest"] == plain.parts["rest"]
    document = slower.to_json()
    assert document["minutes"] == pytest.approx(sum(slower.parts.values()) / 60, abs=0.01)
    assert document["prices"]["date"] == load_prices().date.isoformat()
    assert document["history"] == {"runs": 2, "of": "DE (r1)", "ratios": slow.ratios}

    timings = {"r.inputs": 10.0, "r.trials": 200.0, "r.outputs": 20.0, "r.plots": 5.0}
    made = actual(
        seconds=250, timings=timings, posterior=5, machine=MACHINE, tasks=1, resumed=False
    )
    parts = {"rest": 10, "inputs": 10, "trials": 200, "outputs": 25, "posterior": 5}
    assert made["parts"] == parts
    second = 4 * 0.000018 + 8 * 0.000002
    assert made["amount"] == pytest.approx(250 * second, abs=1e-4)


def test_every_task_costs_until_its_trials_end() -> None:
    parts: dict[Any, float] = {"rest": 10.0, "inputs": 20.0, "trials": 100.0, "outputs": 60.0}
    parts["posterior"] = 10.0
    second = 4 * 0.000018 + 8 * 0.000002
    assert price(parts, MACHINE, 1) == pytest.approx(200 * second)
    assert price(parts, MACHINE, 3) == pytest.approx((200 + 2 * 140) * second)
    assert set(parts) == set(PARTS)


def test_the_memory_that_a_run_needs_is_above_what_was_measured_and_below_the_default() -> None:
    """The default is that of Terraform, with which every preset was measured."""
    runs = json.loads(MEASURED.read_text())["runs"]
    assert {run["work"]["iterations"] for run in runs} == {200, 2000, 10_000}
    assert {run["engine"] for run in runs} == {"builtin", "robyn"}
    variables = (MEASURED.parents[2] / "infra" / "variables.tf").read_text()
    job = variables.partition('variable "job"')[2]
    [memory] = re.findall(r'memory += optional\(string, "(.+)"\)', job.partition("vpc ")[0])
    for run in runs:
        needed = needed_gib(Work.model_validate(run["work"]))
        assert 1.1 < needed * 1024 / run["mib"] < 1.4, run["case"]
        assert needed < gibibytes(memory)
