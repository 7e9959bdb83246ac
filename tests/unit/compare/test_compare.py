"""`mmm compare`: the runs that a command names, what differs, and parts that add up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from contract import layout
from contract.base import canonical_json
from contract.config import Config
from contract.exceptions import ConfigError
from contract.request import Origin, Request
from contract.run import State, Status
from contract.stores.folder import FolderStore
from job.outputs.ledger import Action
from job.sources.snapshot import METADATA_KEY
from mmm.commands import app
from mmm.compare import parts
from mmm.compare.again import TOTAL, restate
from mmm.compare.causes import Cause, causes
from mmm.compare.document import Compared
from mmm.compare.runs import FinishedRun, find_run
from mmm.schemas import json_schema
from tests.unit.outputs.test_decide import config, decision, manifest, record

FIRST, SECOND = "20261123T020000Z-aaaaaaaa", "20261124T020000Z-bbbbbbbb"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "bucket")


def drawn(roas: float, total: float = 2.0) -> dict[str, Any]:
    """Return the posterior of a metrics.json."""
    tv = {"name": "tv", "roas": {"median": roas}}
    return {"channels": [tv], "total": {"roas": {"median": total}}}


def put(
    store: FolderStore,
    run_id: str,
    *,
    roas: float = 2.0,
    end: str = "2026-11-16",
    quarter: float = 100.0,
    posterior: bool = True,
    version: str = "1",
    data: bool = True,
    state: State = State.SUCCEEDED,
    **changes: Any,
) -> None:
    """Write what a finished run leaves."""
    document = {**config().model_dump(mode="json"), **changes}
    resolved = Config.model_validate(document)
    at = datetime.now(UTC)
    request = Request(
        run_id=run_id, market="DE", revision="r1", config=resolved.model_dump(mode="json"),
        origins={}, config_hash=resolved.hash(), origin=Origin(via="command"), accepted_at=at,
        nonce="n",
    )  # fmt: skip
    status = Status(
        run_id=run_id, state=state, market="DE", revision="r1", created_at=at, updated_at=at
    )
    made = manifest(run_id)
    made = made.model_copy(
        update={"versions": made.versions.model_copy(update={"mmm_trainer": version})}
    )
    tv = {"name": "tv", "spend": 10.0, "contribution": 10 * roas, "contribution_share": 0.2}
    metrics = {
        "rsq_train": 0.9, "window_start": "2023-01-02", "window_end": end, "channels": [tv],
        "verdict": {"verdict": "PASS", "findings": []},
        **({"posterior": drawn(roas)} if posterior else {}),
    }  # fmt: skip
    quality = {"profile": {"frequency": "week", "quarters": {"SALES": {"2025Q1": quarter}}}}
    folder = layout.artifacts("r1", "DE", run_id)
    store.write(layout.request(run_id), request.to_json())
    store.write(layout.status(run_id), status.to_json())
    store.write(layout.manifest("r1", "DE", run_id), made.to_json())
    store.write(f"{folder}metrics.json", canonical_json(metrics))
    store.write(f"{folder}data_quality.json", canonical_json(quality))
    if data:
        local = Path(store.root) / f"{run_id}.parquet"
        pq.write_table(pa.table({"DATE": ["2026-11-16"], "SALES": [1.0], "TV": [1.0]}), local)
        store.upload(local, layout.work(run_id, "snapshot.parquet"))


def both(store: FolderStore) -> tuple[FinishedRun, FinishedRun]:
    one, other = (find_run(store, run, revision="r1") for run in (FIRST, SECOND))
    return one, other


def split(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch, answers: list[float], *, draw: bool = True
) -> parts.Difference:
    """Split the difference of the two runs; the draws say `answers`, one after the other."""
    left = iter(answers)

    def roas_of(data: Path, config: Config) -> dict[str, float]:
        return dict.fromkeys(("tv", TOTAL), next(left))

    monkeypatch.setattr(parts, "roas_of", roas_of)
    monkeypatch.setattr(parts, "restate", lambda before, after, out: out)
    before, after = both(store)
    found = parts.difference(store, before, after, list(causes(before, after)), may_draw=draw)
    assert next(left, None) is None, "fewer draws than expected"
    for name, own in found.parts.items():
        assert sum(own.values()) == pytest.approx(found.after[name] - found.before[name])
    return found


def test_equal_runs_have_no_cause_and_no_parts(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, FIRST)
    put(store, SECOND)
    assert causes(*both(store)) == {}
    assert split(store, monkeypatch, []).parts == {}


def test_one_cause_is_the_whole_difference(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, FIRST)
    put(store, SECOND, roas=2.5, end="2026-11-23")
    found = causes(*both(store))
    assert found == {
        Cause.PERIODS: ["the modelled window ends on 2026-11-23, before on 2026-11-16"]
    }
    assert split(store, monkeypatch, []).parts["tv"] == {"new periods": 0.5}


def test_several_causes_are_separated_by_draws(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, FIRST)
    put(store, SECOND, roas=3.0, end="2026-11-23", quarter=110.0, training={"seed": 7})
    found = split(store, monkeypatch, [2.1, 2.3])
    assert found.parts["tv"] == {
        "restated history": pytest.approx(0.1),
        "new periods": pytest.approx(0.2),
        "search": pytest.approx(0.7),
    }
    assert found.why_shared is None


def test_a_version_is_separated_from_both_ends(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, FIRST)
    put(store, SECOND, roas=3.0, end="2026-11-23", version="2")
    # The first run drawn by this version, then with the new periods.
    found = split(store, monkeypatch, [2.2, 2.6])
    assert found.parts["tv"] == {
        "new periods": pytest.approx(0.4), "version": pytest.approx(0.6),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "draw", "why"),
    [
        ({"posterior": False}, True, "a run has no posterior"),
        ({"data": False}, True, "the data of a run is no longer stored"),
        ({}, False, "nothing was drawn again"),
    ],
)
def test_causes_that_cannot_be_separated_share_one_part(
    store: FolderStore,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    draw: bool,
    why: str,
) -> None:
    put(store, FIRST, **options)
    put(store, SECOND, roas=3.0, end="2026-11-23", quarter=110.0, **options)
    found = split(store, monkeypatch, [], draw=draw)
    assert found.parts["tv"] == {"restated history + new periods": pytest.approx(1.0)}
    assert found.why_shared == why


def test_fields_without_effect_on_the_figures_are_no_cause(store: FolderStore) -> None:
    put(store, FIRST)
    put(store, SECOND, gate={"min_rows": 20}, promotion={"max_roas_change": 0.5})
    assert causes(*both(store)) == {}


def test_a_run_is_named_by_id_by_market_or_by_date(store: FolderStore) -> None:
    put(store, FIRST)
    put(store, SECOND)
    today = datetime.now(UTC).date().isoformat()
    store.write(layout.current("r1", "DE"), canonical_json({"run_id": FIRST}))
    assert find_run(store, SECOND, revision="r1").run_id == SECOND
    assert find_run(store, "DE", revision="r1").run_id == FIRST
    assert find_run(store, f"DE@{today}", revision="r1").run_id == SECOND
    record(store, decision(SECOND, Action.HOLD))
    assert find_run(store, f"DE@{today}", revision="r1").run_id == FIRST
    for text, problem in (
        ("DE@2020-01-01", "has no accepted run of revision `r1` from 2020-01-01 or before"),
        ("DE@yesterday", "does not end with a date; allowed: e.g. `DE@2026-11-01`"),
        ("FR", "has no current run of revision `r1`"),
        (f"{FIRST[:-1]}0", "there is no run"),
    ):
        with pytest.raises(ConfigError, match=problem):
            find_run(store, text, revision="r1")


def test_restated_data_has_the_old_periods_with_the_new_values(tmp_path: Path) -> None:
    def write(name: str, days: list[str], sales: list[float]) -> Path:
        table = pa.table({"DATE": days, "SALES": sales}).replace_schema_metadata(
            {METADATA_KEY: name.encode()}
        )
        pq.write_table(table, tmp_path / name)
        return tmp_path / name

    before = write("before", ["1", "2", "3"], [1.0, 2.0, 3.0])
    after = write("after", ["2", "3", "4"], [20.0, 30.0, 40.0])
    out = restate(before, after, tmp_path / "out")
    assert pq.read_table(out).to_pydict() == {"DATE": ["1", "2", "3"], "SALES": [1.0, 20.0, 30.0]}
    assert pq.read_metadata(out).metadata[METADATA_KEY] == b"before"


def test_the_command_prints_text_and_json(store: FolderStore) -> None:
    put(store, FIRST)
    put(store, SECOND, roas=2.5, end="2026-11-23")
    store.write(layout.current("r1", "DE"), canonical_json({"run_id": SECOND}))
    place = ["--bucket", str(store.root)]
    narrow = {"COLUMNS": "40"}
    text = CliRunner().invoke(app, ["compare", FIRST, "DE", *place], env=narrow).stdout
    assert "new periods\n  the modelled window ends on 2026-11-23, before on 2026-11-16\n" in text
    assert " ".join(text.split("ROAS, by the posterior")[1].split()).startswith(
        "CHANNEL BEFORE AFTER CHANGE NEW PERIODS tv 2 2.5 +0.5 +0.5 all paid channels 2 2 0 0"
    )
    assert FIRST in text  # whole, at any width of a pipe
    printed = CliRunner().invoke(app, ["compare", FIRST, "DE", *place, "--json"]).stdout
    compared = Compared.model_validate(json.loads(printed))
    assert compared.channels[0].parts == {"new periods": 0.5}
    assert compared.channels[1].name is None
    assert set(json.loads(printed)) == set(json_schema("compare")["properties"])
    refused = CliRunner().invoke(app, ["compare", "XX", "DE", *place])
    assert (refused.exit_code, refused.stdout) == (64, "")
