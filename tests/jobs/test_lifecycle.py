"""Whole runs of `python -m job` on a folder, a JSONL file and real R: states, events, retries."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from contract import layout
from contract.run import State, read_status
from job.attempt.lease import Lease
from job.outputs.upload import Artifact
from tests.runs import ROOT, WEEKLY, Place, faulty_artifacts, needs_r

CONFIG = f"""{WEEKLY}
organic: [NEWSLETTER]
factors: [EVENTS]
training:
  {{trials: 2, iterations: 60, max_iterations: 70, min_candidates: 20, engine: builtin, holidays: DE,
    cores: 1, min_r2: -1}}
posterior: {{sweeps: 60}}
outputs: {{onepagers: 1, intervals: {{method: bootstrap, draws: 100}}}}
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, CONFIG)


@needs_r
def test_a_run_its_duplicate_and_a_repeated_execution(place: Place) -> None:
    code, lines = place.run("daily-a1")
    assert code == 0, lines[-5:]
    (run_id,) = place.run_ids()
    assert place.state(run_id) is State.SUCCEEDED

    prefix = f"robyn/r1/DE/{run_id}/"
    manifest = json.loads(place.store.read(f"{prefix}manifest.json").data)
    artifacts = [Artifact.model_validate(a) for a in manifest["artifacts"]]
    assert faulty_artifacts(place.store, artifacts, prefix=prefix) == []
    names = {artifact.path for artifact in artifacts}
    assert names >= {
        "report.html", "summary.html", "metrics.json", "data_quality.json", "config.resolved.yaml", "timings.json",
        "robyn_console.log", "InputCollect.RDS", "OutputModels.RDS", "OutputCollect.RDS",
        *(f"tables/{t}.parquet" for t in ("models", "decomposition", "decomposition_by_date",
                                          "response_curves", "allocation", "pareto")),
    }  # fmt: skip
    assert any(name.startswith("onepagers/") for name in names)
    assert manifest["engine"] == "builtin"
    assert manifest["versions"]["robyn"] is None
    models = pq.read_table(place.store.root / prefix / "tables/pareto.parquet")
    iterations = manifest["trial_iterations"]
    assert (len(iterations), models.num_rows) == (2, sum(iterations))
    assert all(60 <= number <= 70 for number in iterations)
    metrics = json.loads(place.store.read(f"{prefix}metrics.json").data)
    assert [trial["iterations"] for trial in metrics["trials"]] == iterations
    assert metrics["intervals"] == {
        "method": "bootstrap", "level": 0.95, "draws": 100, "block": 6,
    }  # fmt: skip
    assert {channel["interval_method"] for channel in metrics["channels"]} == {"bootstrap"}
    assert set(models["run_id"].to_pylist()) == {run_id}
    assert json.loads(place.store.read("robyn/r1/DE/current.json").data)["run_id"] == run_id
    (event,) = place.events()
    assert (event["type"], event["subject"]) == ("mmm.run.succeeded", run_id)
    assert event["data"]["best_model"]["best_model"] == manifest["best_model"]
    known = [line for line in lines if line["message"] != "the job starts"]
    assert all(line["logging.googleapis.com/labels"].get("run_id") == run_id for line in known)

    code, lines = place.run("daily-a1")  # the same execution again: nothing is computed
    assert code == 0
    assert place.run_ids() == [run_id]
    assert len(place.events()) == 1

    code, _ = place.run("daily-b2")  # another execution, same config and data
    assert code == 0
    other = next(i for i in place.run_ids() if i != run_id)
    assert place.state(other) is State.DUPLICATE
    assert place.events()[-1]["data"]["duplicate_of"] == run_id


@needs_r
def test_told_to_stop_it_stops_at_once_and_says_so(place: Place) -> None:
    # Where a busy machine lets the seconds of grace pass, the process ends without a word: try again.
    for market in ("DE", "FR", "GB"):
        place.config.write_text(CONFIG.replace("market: DE", f"market: {market}"))
        before = set(place.run_ids())
        process = place.start(f"nightly-{market.lower()}")
        deadline = time.monotonic() + 120
        status = None
        while time.monotonic() < deadline and (status is None or status.step != "train"):
            time.sleep(0.1)
            ids = set(place.run_ids()) - before
            status = read_status(place.store, min(ids)) if ids else None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 143
        (run_id,) = set(place.run_ids()) - before
        if place.state(run_id) is State.CANCELLED:
            break
    assert place.state(run_id) is State.CANCELLED
    assert place.events()[-1]["type"] == "mmm.run.cancelled"


def test_bad_data_fails_for_good_with_its_sentence(place: Place) -> None:
    place.config.write_text(CONFIG.replace("spend: TV_COST", "spend: TV_COSTS"))
    code, _ = place.run("nightly-d", MMM_MAX_RETRIES="3")
    assert code == 65
    (run_id,) = place.run_ids()
    status = read_status(place.store, run_id)
    assert status is not None
    assert status.state is State.FAILED
    assert status.error is not None
    assert "TV_COSTS" in status.error.message
    assert "TV_COST" in status.error.message
    assert place.events()[-1]["data"]["error"]["code"] == 65
    code, _ = place.run("nightly-d", attempt=1, MMM_MAX_RETRIES="3")
    assert code == 65
    assert len(place.events()) == 1


def test_what_the_gate_stops_is_told_in_the_event_and_kept(place: Place, tmp_path: Path) -> None:
    lines = (ROOT / "examples/data/de_weekly.csv").read_text().splitlines()
    table = tmp_path / "gap.csv"
    table.write_text("\n".join(lines[:90] + lines[92:]) + "\n")
    place.config.write_text(CONFIG.replace(f"{ROOT}/examples/data/de_weekly.csv", str(table)))
    code, _ = place.run("nightly-g", MMM_MAX_RETRIES="3")
    assert code == 65
    told = place.events()[-1]["data"]
    assert told["error"]["kind"] == "GateError"
    (finding,) = told["data_quality"]["findings"]
    assert (finding["check"], finding["outcome"]) == ("gaps", "BLOCK")
    assert (finding["figure"], finding["threshold"]) == (2, 0)
    assert (finding["columns"], len(finding["dates"])) == (["DATE"], 2)
    assert finding["sentence"] == told["error"]["message"]
    kept = json.loads(place.store.read(layout.quality(told["run_id"])).data)
    assert kept["verdict"] == "BLOCK"
    assert finding in kept["checks"]


def test_a_bad_config_is_kept_and_told(place: Place) -> None:
    place.config.write_text(CONFIG.replace("iterations: 60", "iteration: 60"))
    code, lines = place.run("nightly-c")
    assert code == 64
    assert "`training.iteration` is not a known field. Did you mean" in lines[-1]["message"]
    assert place.events()[-1]["type"] == "mmm.run.rejected"
    (kept,) = list(place.store.list("rejected/"))
    assert b"iteration" in place.store.read(kept.path).data


def test_a_second_execution_of_a_claimed_run_leaves(place: Place, tmp_path: Path) -> None:
    from job.attempt.request import find_request
    from job.runtime.settings import Settings

    settings = Settings.read(
        bucket=str(place.store.root),
        topic=str(place.topic.path),
        config_uri=str(place.config),
        execution="first",
    )
    request = find_request(
        settings, place.store, place.topic, via="execution", overrides={}, force=False
    )
    lease = Lease(
        owner="first", execution="first", task=0, attempt=0, nonce="n"
    )  # fmt: skip
    place.store.write(layout.lease(request.run_id), lease.to_json())
    code, lines = place.run("second", MMM_RUN_ID=request.run_id)
    assert code == 0
    assert "first is working on this run; exiting" in lines[-1]["message"]
    assert place.state(request.run_id) is State.ACCEPTED


def test_no_bucket_and_no_config_are_told(tmp_path: Path) -> None:
    bare = {k: v for k, v in os.environ.items() if not k.startswith("MMM_")}
    done = subprocess.run(
        [sys.executable, "-m", "job"],
        env=bare,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 64
    for name in ("MMM_BUCKET", "MMM_EVENTS_TOPIC"):
        assert f"the environment variable {name} is missing; set it to " in done.stderr
