"""From a published message to a completion event, with the real clients of every service."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract import layout
from contract.base import sha256_hex
from contract.run import State
from mmm.pauses import pause, resume
from tests.e2e import cloud as clouds
from tests.e2e.cloud import BUCKET, JOB_NAME, REGION, ROOT, Cloud, Strictness
from tests.fakes import snowflake
from tests.infra.terraform_source import load

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

GOOD = ("INFO", "WARNING", "DEBUG")
SHORT = {"trials": 2, "iterations": 120, "min_candidates": 20, "min_r2": -1}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    with snowflake.running() as warehouse:
        warehouse.execute(*weekly_table())
        env, strict = warehouse.with_key_pair(folder, passphrase="p"), Strictness.from_environment()
        with clouds.running(folder, env, strict=strict) as running:
            data = (ROOT / "examples" / "data" / "de_weekly.csv").read_bytes()
            running.put("data/de_weekly.csv", data)
            yield running


def weekly_table() -> list[str]:
    """Statements that make the weekly example a table of the warehouse."""
    text = (ROOT / "examples" / "data" / "de_weekly.csv").read_text()
    header, *rows = csv.reader(io.StringIO(text))
    columns = ", ".join(
        f'"{n}" {"DATE" if n == "DATE" else kind(rows, i)}' for i, n in enumerate(header)
    )
    values = ", ".join(
        "(" + ", ".join("NULL" if v == "" else f"'{v}'" for v in row) + ")" for row in rows
    )
    return [
        "CREATE DATABASE IF NOT EXISTS ANALYTICS",
        "CREATE SCHEMA IF NOT EXISTS ANALYTICS.MMM",
        f"CREATE TABLE ANALYTICS.MMM.WEEKLY ({columns})",
        f"INSERT INTO ANALYTICS.MMM.WEEKLY VALUES {values}",
    ]


def kind(rows: list[list[str]], column: int) -> str:
    """DOUBLE where every value is a number, else VARCHAR."""
    try:
        [float(row[column]) for row in rows if row[column]]
    except ValueError:
        return "VARCHAR"
    return "DOUBLE"


def config(**changes: Any) -> dict[str, Any]:
    """The weekly example with its data in the bucket and a short search."""
    text = (ROOT / "examples" / "configs" / "de_weekly.yaml").read_text()
    base = json.loads(json.dumps(yaml.safe_load(text), default=str))
    base["source"] = {"type": "file", "path": f"gs://{BUCKET}/data/de_weekly.csv"}
    base["training"] |= SHORT
    base["posterior"] = {"sweeps": 60}
    base["outputs"] = {"onepagers": 1, "validation": {"folds": 2}}
    return base | changes


def check_artifacts(cloud: Cloud, event: dict[str, Any]) -> dict[str, Any]:
    """Every artifact of the manifest is there as it says, and the manifest is the event's."""
    data = event["data"]
    path = layout.manifest(data["revision"], data["market"], data["run_id"])
    raw = cloud.store.read(path).data
    assert sha256_hex(raw) == data["manifest_sha256"]
    manifest: dict[str, Any] = json.loads(raw)
    for artifact in manifest["artifacts"]:
        place = layout.artifacts(data["revision"], data["market"], data["run_id"], artifact["path"])
        content = cloud.store.read(place).data
        assert len(content) == artifact["bytes"]
        assert sha256_hex(content) == artifact["sha256"]
    return manifest


def check_writers(cloud: Cloud) -> None:
    """Function and job wrote only where Terraform lets one of them write."""
    writers = load(ROOT / "infra").locals["writers"].values()
    allowed = {prefix.strip('"') for writer in writers for prefix in writer["prefixes"]}
    written = {f"{info.path.split('/')[0]}/" for info in cloud.store.list("")}
    assert written - {"configs/", "data/"} <= allowed


def test_a_published_message_becomes_a_model(cloud: Cloud) -> None:
    source = {"type": "snowflake", "table": "ANALYTICS.MMM.WEEKLY"}
    uri = cloud.put("configs/de.yaml", yaml.safe_dump(config(source=source)))
    message_id = cloud.publish({"config_uri": uri})
    run_id = cloud.wait_for_run_of(message_id)
    event = cloud.wait_for_event(run_id=run_id)

    assert event["type"] == "mmm.run.succeeded", event["data"]["error"]
    manifest = check_artifacts(cloud, event)
    names = {artifact["path"] for artifact in manifest["artifacts"]}
    assert {"report.html", "metrics.json"} <= names
    pointer = json.loads(cloud.store.read(layout.current("r1", "DE")).data)
    assert pointer["run_id"] == run_id
    metrics = json.loads(
        cloud.store.read(layout.artifacts("r1", "DE", run_id, "metrics.json")).data
    )
    folds = metrics["validation"]["by_fold"]
    assert [fold["end"] for fold in folds] == ["2025-10-27", "2025-12-22"]
    status = cloud.status(run_id)
    assert status.state is State.SUCCEEDED
    check_writers(cloud)
    [execution] = cloud.run.of_run(run_id)
    lines = cloud.log_of(run_id)
    assert {line["logging.googleapis.com/labels"].get("run_id") for line in lines} >= {run_id}
    faults = [line["message"] for line in lines if line["severity"] not in GOOD]
    if cloud.gates:  # the topic of events was denied too; a retry or reconcile publishes
        assert all("the event could not be published" in fault for fault in faults), faults
        assert execution.tasks[0].attempt <= 1
    else:
        assert faults == []
        assert execution.tasks[0].attempt == 0


def test_a_paused_market_trains_nothing_until_it_is_resumed(cloud: Cloud) -> None:
    uri = cloud.put("configs/it.yaml", yaml.safe_dump(config(market="IT")))
    pause(cloud.store, "IT", by="jo@desk", reason="no data")
    run_id = cloud.wait_for_run_of(cloud.publish({"config_uri": uri}, source="scheduler/it"))
    event = cloud.wait_for_event(run_id=run_id)
    assert event["type"] == "mmm.run.skipped"
    assert "by jo@desk: no data" in event["data"]["error"]["message"]
    assert cloud.run.of_run(run_id) == []
    resume(cloud.store, "IT")
    check_writers(cloud)


def test_a_push_without_cloud_event_headers_and_broken_data(cloud: Cloud) -> None:
    rows = list(csv.reader(io.StringIO((ROOT / "examples/data/de_weekly.csv").read_text())))
    few = "\n".join(",".join(row) for row in rows[:12])
    path = cloud.put("data/few.csv", few)
    broken = config(source={"type": "file", "path": path})
    message_id = cloud.publish({"config": broken}, to="mmm-requests-push")
    run_id = cloud.wait_for_run_of(message_id)
    event = cloud.wait_for_event(run_id=run_id)
    assert event["data"]["state"] in ("FAILED", "SKIPPED")
    [execution] = cloud.run.of_run(run_id)
    assert execution.done.wait(30)
    if event["data"]["state"] == "FAILED":
        assert event["data"]["error"]["code"] == 65
        assert execution.tasks[0].exit_code == 65


def test_poison_is_told_and_never_redelivered(cloud: Cloud) -> None:
    message_id = cloud.publish({"config": config(chanels=[])})
    run_id = cloud.wait_for_run_of(message_id)
    event = cloud.wait_for_event(run_id=run_id)
    assert event["data"]["state"] == "REJECTED"
    assert "Did you mean `channels`?" in event["data"]["error"]["message"]
    assert cloud.relay.statuses[-1] == 200
    assert cloud.run.of_run(run_id) == []


def test_gcloud_publishes_a_message(cloud: Cloud, tmp_path: Path) -> None:
    if reason := clouds.gcloud_missing():
        pytest.skip(reason)
    uri = cloud.put("configs/again.yaml", yaml.safe_dump(config()))
    done = gcloud(
        [
            "pubsub",
            "topics",
            "publish",
            "mmm-requests",
            f"--message={json.dumps({'config_uri': uri})}",
            "--attribute=idempotency_key=by-hand",
        ],
        clouds.gcloud_environment(tmp_path, cloud),
    )
    [message_id] = yaml.safe_load(done.stdout)["messageIds"]
    run_id = cloud.wait_for_run_of(str(message_id))
    event = cloud.wait_for_event(run_id=run_id)
    assert event["data"]["state"] in ("SUCCEEDED", "DUPLICATE"), event


def test_gcloud_executes_the_job(cloud: Cloud, tmp_path: Path) -> None:
    if reason := clouds.gcloud_missing():
        pytest.skip(reason)
    uri = cloud.put("configs/executed.yaml", yaml.safe_dump(config()))
    known = set(cloud.run.executions)
    gcloud(
        [
            "run",
            "jobs",
            "execute",
            JOB_NAME,
            f"--region={REGION}",
            f"--args=--config,{uri}",
            "--wait",
        ],
        clouds.gcloud_run_environment(tmp_path, cloud),
    )
    [name] = set(cloud.run.executions) - known
    short = name.rpartition("/")[2]
    lines = [
        json.loads(line)
        for file in cloud.logs.glob(f"{short}-*.log")
        for line in file.read_text().splitlines()
    ]
    [run_id] = {
        labels["run_id"]
        for line in lines
        if "run_id" in (labels := line["logging.googleapis.com/labels"])
    }
    event = cloud.wait_for_event(run_id=run_id)
    assert event["data"]["state"] in ("SUCCEEDED", "DUPLICATE"), event


def test_nothing_is_lost_or_done_twice(cloud: Cloud) -> None:
    """After all of them: each run has ended, has one event, and was started once."""
    assert all(gate.denied for gate in cloud.gates.values()), cloud.gates
    cloud.pull()
    runs = sorted(cloud.store.folders("runs/"))
    for run_id in runs:
        status = cloud.status(run_id)
        assert status.state.is_terminal, (run_id, status.state)
        events = {event["id"] for event in cloud.events if event["subject"] == run_id}
        assert len(events) == 1, run_id
        assert len(cloud.run.of_run(run_id)) <= 1, run_id
    assert {event["subject"] for event in cloud.events} == set(runs)
    assert [received.message.data for received in cloud.waiting("mmm-requests-dead")] == []


def gcloud(arguments: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["gcloud", *arguments], env=env, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    return done
