"""A run becomes current within the tolerances; beyond them, or with FAIL, it is held."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract import layout
from contract.base import canonical_json
from contract.config import Config
from contract.run import State
from contract.stores.folder import FolderStore
from job.outputs.decide import Comparison, decide
from job.outputs.drift import compare
from job.outputs.ledger import Action, Decision, decisions, last_action, record
from job.outputs.manifest import DataFacts, Manifest, Versions

BEFORE, NOW = "20261123T020000Z-aaaaaaaa", "20261124T020000Z-bbbbbbbb"
LIMITS = {"max_roas_change": 0.3, "max_share_change": 0.1}


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "bucket")


def config(kind: str = "revenue", **promotion: Any) -> Config:
    return Config.model_validate(
        {
            "version": 1, "market": "DE", "revision": "r1",
            "source": {"type": "file", "path": "data.csv"}, "date": {"column": "DATE"},
            "target": {"column": "SALES", "kind": kind},
            "channels": [{"name": "tv", "spend": "TV"}],
            "promotion": {**LIMITS, **promotion},
        }
    )  # fmt: skip


def manifest(run_id: str = NOW, fingerprint: str = "f") -> Manifest:
    return Manifest(
        run_id=run_id, market="DE", revision="r1", state=State.SUCCEEDED,
        created_at=datetime.now(UTC), engine="builtin", search="fast", best_model="1_1_1", seed=1,
        trials=1, iterations=1, cores=1, config_hash="c", fingerprint=fingerprint,
        data=DataFacts(
            rows=1, columns=[], first_date=None, last_date=None, sha256="s", source="f", sql=[]
        ),
        versions=Versions(mmm_trainer="1", image=None, python="3", python_packages={}),
        timings={}, steps=[], artifacts=[],
    )  # fmt: skip


def model(roas: float, share: float = 0.2) -> dict[str, Any]:
    """Return a metrics.json without a posterior."""
    tv = {"name": "tv", "spend": 10.0, "contribution": 10 * roas, "contribution_share": share}
    return {"rsq_train": 0.9, "channels": [tv]}


def drawn(roas: float, width: float = 0.4, share: float = 0.2) -> dict[str, Any]:
    """Return a metrics.json with a posterior."""
    spans = {
        "roas": {"median": roas, "low": roas - width / 2, "high": roas + width / 2},
        "share": {"median": share, "low": share - 0.01, "high": share + 0.01},
    }
    return {**model(9.0), "posterior": {"channels": [{"name": "tv", **spans}]}}


def make_current(store: FolderStore, metrics: dict[str, Any], run_id: str = BEFORE) -> None:
    store.write(layout.current("r1", "DE"), canonical_json({"run_id": run_id}))
    store.write(layout.artifacts("r1", "DE", run_id, "metrics.json"), canonical_json(metrics))


def decided(store: FolderStore, metrics: dict[str, Any], **promotion: Any) -> Comparison:
    return decide(store, config(**promotion), manifest(), metrics)


def test_the_first_run_of_a_market_is_accepted(store: FolderStore) -> None:
    assert decided(store, model(2.0)).to_dict() == {
        "verdict": "ACCEPT", "against": None, "reasons": [], "channels": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "promotion", "reason"),
    [
        (model(2.0), model(2.5), {}, None),
        (model(2.0), model(2.7), {}, "ROAS of `tv` is 2.70 and was 2.00, a change of 35%; "
         "allowed: 30% (`promotion.max_roas_change`)"),
        (model(2.7), model(2.0), {}, "ROAS of `tv` is 2.00 and was 2.70, a change of 35%; "
         "allowed: 30% (`promotion.max_roas_change`)"),
        (model(2.0), model(2.7), {"kind": "conversion"}, "CPA of `tv` is 0.3704 and was 0.5, "
         "a change of 35%; allowed: 30% (`promotion.max_roas_change`)"),
        (model(2.0), model(0.0), {}, "ROAS of `tv` is 0.00 and was 2.00, a change of more than 1000%; "
         "allowed: 30% (`promotion.max_roas_change`)"),
        (model(2.0), model(9.0), {"max_roas_change": None}, None),
        (model(2.0, 0.2), model(2.0, 0.35), {}, "`tv` brings 35.0% of the target and brought "
         "20.0%, a change of 15.0 points; allowed: 10 (`promotion.max_share_change`)"),
        (drawn(2.0), drawn(2.2), {}, None),
        (drawn(2.0, width=3.0), drawn(2.9), {}, None),
        (drawn(2.0), drawn(2.9), {}, "ROAS of `tv` is 2.90 and was 2.00, a change of 45%; "
         "allowed: 30% (`promotion.max_roas_change`)"),
        (drawn(2.0), model(9.0), {}, None),
        (model(2.0), model(2.0), {"min_r2": 0.95}, "R² is 0.9; allowed: at least 0.95 "
         "(`promotion.min_r2`)"),
    ],
)  # fmt: skip
def test_a_change_beyond_the_tolerance_holds_the_run(
    store: FolderStore,
    before: dict[str, Any],
    after: dict[str, Any],
    promotion: dict[str, Any],
    reason: str | None,
) -> None:
    make_current(store, before)
    found = decided(store, after, **promotion)
    assert found.against == BEFORE
    assert list(found.reasons) == ([reason] if reason else [])
    assert found.to_dict()["verdict"] == ("HOLD" if reason else "ACCEPT")


def test_a_run_whose_verdict_is_fail_is_held(store: FolderStore) -> None:
    findings = [
        {"level": "FAIL", "sentence": "nothing fits"},
        {"level": "REVIEW", "sentence": "look"},
    ]
    found = decided(store, {**model(2.0), "verdict": {"verdict": "FAIL", "findings": findings}})
    assert found.reasons == ("the verdict is FAIL: nothing fits",)


def test_a_run_is_not_compared_with_itself_or_with_damaged_objects(store: FolderStore) -> None:
    make_current(store, model(2.0), NOW)
    assert decided(store, model(9.0)).against is None
    make_current(store, model(2.0))
    store.write(layout.artifacts("r1", "DE", BEFORE, "metrics.json"), b"{")
    assert decided(store, model(9.0)).reasons == ()
    store.write(layout.current("r1", "DE"), b"[]")
    assert decided(store, model(9.0)).reasons == ()


def test_a_new_or_removed_channel_is_not_compared() -> None:
    other = json.loads(json.dumps(model(2.0)).replace('"tv"', '"radio"'))
    assert compare(model(2.0), other) == []


def decision(run_id: str, action: Action, by: str = "ann@desk") -> Decision:
    return Decision(
        run_id=run_id, market="DE", revision="r1", action=action, by=by, at=datetime.now(UTC),
        reason="because",
    )  # fmt: skip


def test_a_run_that_a_person_held_stays_held_and_so_does_its_twin(store: FolderStore) -> None:
    record(store, decision(NOW, Action.HOLD))
    assert decided(store, model(2.0)).reasons == ("a person held it",)
    record(store, decision(NOW, Action.PROMOTE))
    assert decided(store, model(2.0)).reasons == ()
    store.write(layout.fingerprint("f"), canonical_json({"run_id": BEFORE}))
    assert decided(store, model(2.0)).reasons == ()
    record(store, decision(BEFORE, Action.ROLLBACK))
    [reason] = decided(store, model(2.0)).reasons
    assert reason == f"a person rolled back from run {BEFORE} of the same config and data"


def test_the_ledger_keeps_every_decision_and_a_person_outweighs_the_job(store: FolderStore) -> None:
    assert record(store, decision(NOW, Action.HOLD, by="job"))
    assert not record(store, decision(NOW, Action.HOLD, by="job"))
    assert last_action(store, "r1", "DE", NOW) == (Action.HOLD, None)
    assert record(store, decision(NOW, Action.PROMOTE))
    assert record(store, decision(NOW, Action.PROMOTE))
    assert record(store, decision(NOW, Action.HOLD))
    assert record(store, decision(NOW, Action.PROMOTE, by="job"))
    action, at = last_action(store, "r1", "DE", NOW)
    assert action is Action.HOLD
    assert at is not None
    assert sorted(one.action for one in decisions(store, "r1", "DE")) == [
        "hold", "hold", "promote", "promote", "promote",
    ]  # fmt: skip
    assert list(decisions(store, "r1", "D")) == []
