"""The pages Compare and promote, Budget, and Experiments, on the results of two runs."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import sign_in
from app.people import Person, Role
from contract import layout
from contract.base import canonical_json
from contract.run import State, read_status
from contract.stores.folder import FolderStore
from job.outputs.ledger import decisions
from mmm import configs
from tests.runs import WEEKLY
from tests.statuses import put
from tests.unit.app.conftest import Open, says
from tests.unit.compare.test_compare import FIRST, SECOND
from tests.unit.compare.test_compare import put as put_result

PAGES = ("compare", "budget", "experiments")


def write_table(store: FolderStore, run_id: str, name: str, rows: Any) -> None:
    data = io.BytesIO()
    pd.DataFrame(rows).to_parquet(data)
    store.write(layout.artifacts("r1", "DE", run_id, f"tables/{name}.parquet"), data.getvalue())


def write_curves(store: FolderStore, run_id: str) -> None:
    """Two channels: tv saturates, search hardly does; draws with their own level and slope."""
    rng = np.random.default_rng(1)
    curves, draws = [], []
    for name, spend, level, half in (("tv", 1000.0, 3000.0, 0.3), ("search", 500.0, 900.0, 5.0)):
        factors = np.round(np.arange(0, 2.01, 0.1), 1)
        then = level * factors * (half + 1) / (half + factors)
        curves += [
            {"channel": name, "spend_factor": f, "spend": spend * f, "contribution": c,
             "contribution_low": 0.8 * c, "contribution_high": 1.2 * c}
            for f, c in zip(factors, then, strict=True)
        ]  # fmt: skip
        for draw in range(200):
            own = level * np.exp(rng.normal(0, 0.1))
            slope = own / spend * half / (half + 1) * np.exp(rng.normal(0, 0.1))
            draws.append(
                {"draw": draw + 1, "channel": name, "roas": own / spend, "contribution": own,
                 "marginal_roas": slope}
            )  # fmt: skip
    write_table(store, run_id, "posterior_curves", curves)
    write_table(store, run_id, "posterior_draws", draws)


@pytest.fixture
def results(store: FolderStore) -> FolderStore:
    """DE has a current run and a newer one that is held, with curves and one lift test."""
    put_result(store, FIRST, roas=2.0)
    put_result(store, SECOND, roas=2.9, state=State.HELD, quarter=120.0)
    store.write(layout.current("r1", "DE"), canonical_json({"run_id": FIRST}))
    for run_id in (FIRST, SECOND):
        write_curves(store, run_id)
        write_table(
            store, run_id, "lift_tests",
            [{"test": 1, "channel": "tv", "start": "2025-03-03", "end": "2025-03-30",
              "lift": 100.0, "standard_error": 10.0, "before": 50.0, "before_low": 40.0,
              "before_high": 60.0, "after": 90.0, "after_low": 80.0, "after_high": 100.0}],
        )  # fmt: skip
    configs.save(store, "de", WEEKLY, seen=0, by="bob@example.com")
    return store


def press(at: AppTest, label: str) -> AppTest:
    return next(button for button in at.button if button.label.startswith(label)).click().run()


@pytest.mark.parametrize("name", PAGES)
def test_without_a_result_each_page_says_what_to_do(
    console: Open, store: FolderStore, name: str
) -> None:
    at = console(name)
    assert not at.exception
    assert "No market has a result yet" in says(at)


def test_two_runs_stand_side_by_side(console: Open, results: FolderStore) -> None:
    at = console("compare", market="DE")
    assert not at.exception
    assert not at.error
    table = at.dataframe[0].value
    assert table.loc[0, ["Channel", "Before", "After", "Change"]].tolist() == ["tv", 2.0, 2.9, 0.9]
    assert "Restated history" in str([box.label for box in at.expander])
    assert "No decision yet" in says(at)


def test_a_held_run_is_promoted_with_a_reason(console: Open, results: FolderStore) -> None:
    at = console("compare", market="DE")
    press(at, "Promote")
    assert "Say why" in says(at)
    assert not list(decisions(results, "r1", "DE"))
    at.text_input(key="reason").set_value("the price change is real").run()
    press(at, "Promote")
    assert not at.exception
    assert "The run is promoted" in says(at)
    [decision] = decisions(results, "r1", "DE")
    assert (decision.run_id, decision.by) == (SECOND, "ann@example.com")
    assert json.loads(results.read(layout.current("r1", "DE")).data)["run_id"] == SECOND
    assert at.dataframe[-1].value["Decision"].tolist() == ["promoted"]


def test_an_editor_may_not_decide(
    console: Open, results: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = Person(name="eve@example.com", role=Role.EDITOR)
    monkeypatch.setattr(sign_in, "sign_in", lambda *_, **__: editor)
    at = console("compare", market="DE")
    at.text_input(key="reason").set_value("x").run()
    press(at, "Hold")
    assert "You may not hold a run" in says(at)
    assert not list(decisions(results, "r1", "DE"))


def test_a_run_without_results_is_an_error_with_its_reason(
    console: Open, results: FolderStore
) -> None:
    results.delete(layout.manifest("r1", "DE", FIRST))
    at = console("compare", market="DE")
    assert not at.exception
    assert "has no results" in says(at)


def test_a_budget_has_a_change_and_a_chance(console: Open, results: FolderStore) -> None:
    at = console("budget", market="DE")
    assert not at.exception
    assert "today's budget" in says(at)
    at.slider(key=f"{FIRST}-tv").set_value(0).run()
    metrics = {m.label: m.value for m in at.metric}
    assert metrics["Spend"] == "-1,000"
    assert float(metrics["Target"].replace(",", "")) == pytest.approx(-3000, rel=0.05)
    assert metrics["Chance of a gain"] == "below 1%"


def test_a_total_becomes_a_scenario_of_the_config(console: Open, results: FolderStore) -> None:
    at = console("budget", market="DE")
    at.slider(key=f"{FIRST}-search").set_value(200).run()
    press(at, "Add the total")
    assert not at.error
    saved = configs.read(results, "de")
    assert saved is not None
    assert saved.config is not None
    assert saved.config.outputs.allocator[-1].total_budget == 2000


def test_a_run_without_a_posterior_has_no_budget(console: Open, results: FolderStore) -> None:
    for name in ("posterior_curves", "posterior_draws"):
        results.delete(layout.artifacts("r1", "DE", FIRST, f"tables/{name}.parquet"))
    at = console("budget", market="DE")
    assert not at.exception
    assert "has no `tables/posterior_curves.parquet`" in says(at)


def test_a_lift_test_stands_beside_what_the_model_expects(
    console: Open, results: FolderStore
) -> None:
    at = console("experiments", market="DE")
    assert not at.exception
    table = at.dataframe[0].value
    assert table["Agrees"].tolist() == ["no"]
    assert "The config has no lift test" in says(at)


def test_a_new_test_goes_into_the_config(console: Open, results: FolderStore) -> None:
    at = console("experiments", market="DE")
    press(at, "Add the test")
    assert at.error  # no channel, no lift
    at.multiselect(key="channels").set_value(["tv"])
    at.date_input(key="start").set_value(date(2025, 3, 3))
    at.date_input(key="end").set_value(date(2025, 3, 30))
    at.number_input(key="lift").set_value(5000.0)
    at.number_input(key="spend").set_value(900.0)
    press(at, "Add the test")
    assert not at.exception
    assert "Saved as a new version" in says(at)
    saved = configs.read(results, "de")
    assert saved is not None
    assert saved.config is not None
    assert [(t.channel, t.lift) for t in saved.config.calibration] == [("tv", 5000.0)]


def test_a_file_that_is_no_lift_test_is_named_as_the_person_knows_it(
    console: Open, results: FolderStore
) -> None:
    at = console("experiments", market="DE")
    at.segmented_control(key="from").set_value("A file").run()
    at.file_uploader(key="tests").set_value(("lifts.csv", b"a,b\n1,2\n", "text/csv")).run()
    assert not at.exception
    assert "`lifts.csv` is not a result that is known" in says(at)


def test_the_second_of_two_people_is_told(console: Open, results: FolderStore) -> None:
    at = console("budget", market="DE")
    stored = configs.read(results, "de")
    assert stored is not None
    configs.save(results, "de", WEEKLY, seen=stored.generation, by="eve@example.com")
    press(at, "Add the total")
    assert "newer version" in says(at)
    assert "eve@example.com" in says(at)


def test_each_revision_of_a_market_can_be_chosen(console: Open, results: FolderStore) -> None:
    for name in ("AT", "DE"):
        run_id = put(results, 7 if name == "AT" else 8, name, State.SUCCEEDED)
        status = read_status(results, run_id)
        assert status is not None
        changed = status.model_copy(update={"revision": "r2"})
        results.write(layout.status(run_id), changed.to_json())
        results.write(layout.current("r2", name), canonical_json({"run_id": run_id}))
    at = console("budget", market="DE", revision="r2")
    box = next(one for one in at.selectbox if one.label == "Market")
    assert box.value == "DE, revision r2"
    at = console("budget")
    for wanted in ("DE, revision r2", "DE, revision r1", "AT, revision r2"):
        next(one for one in at.selectbox if one.label == "Market").set_value(wanted).run().run()
        assert next(one for one in at.selectbox if one.label == "Market").value == wanted
