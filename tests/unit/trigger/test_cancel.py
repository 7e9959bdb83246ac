"""Cancelling a run, and what becomes of messages that nobody could process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contract import layout
from contract.events import EventData
from contract.exceptions import ConfigError, TransientError
from contract.run import State, change_status, now, read_status
from contract.stores import Store, open_store
from contract.topics.jsonl import FileTopic
from job.outputs.promote import promote
from mmm.cancel import cancel
from mmm.commands import app
from mmm.local.launcher import LocalLauncher
from tests.fakes.cloud_run import FakeCloudRun
from tests.unit.trigger.conftest import JOB, events_in
from trigger.accept import accept
from trigger.cloud_run import CloudRunLauncher
from trigger.delivery import Delivery
from trigger.execution import Launch, NotStartedError

Make = Callable[..., Delivery]


def test_a_cancelled_run_ends_with_its_execution_and_one_event(
    gcs_store: Store,
    topic: FileTopic,
    launcher: CloudRunLauncher,
    run_service: FakeCloudRun,
    message: Make,
) -> None:
    delivered = message()
    [outcome] = accept(delivered, store=gcs_store, publisher=topic, launcher=launcher)
    for _ in range(2):
        status = cancel(outcome.run_id, gcs_store, topic, launcher)
        assert status.state is State.CANCELLED
    [execution] = run_service.of_run(outcome.run_id)
    assert execution.done.is_set()
    assert [event["state"] for event in events_in(topic)] == ["CANCELLED"]
    [again] = accept(delivered, store=gcs_store, publisher=topic, launcher=launcher)
    assert again.state is State.CANCELLED
    assert len(run_service.executions) == 1


def test_a_run_that_was_never_launched_can_be_cancelled(
    gcs_store: Store, topic: FileTopic, launcher: CloudRunLauncher, message: Make
) -> None:
    delivered = message()
    [outcome] = accept(delivered, store=gcs_store, publisher=topic, launcher=launcher)
    cancel(outcome.run_id, gcs_store, topic, launcher)
    gcs_store.delete(layout.status(outcome.run_id))
    assert cancel(outcome.run_id, gcs_store, topic, launcher).state is State.CANCELLED


def test_a_run_that_is_being_launched_is_cancelled_and_its_execution_finds_that(
    gcs_store: Store,
    topic: FileTopic,
    launcher: CloudRunLauncher,
    run_service: FakeCloudRun,
    message: Make,
) -> None:
    class Slow(CloudRunLauncher):
        """Somebody cancels between the stored request and `run_job`."""

        def launch(self, given: Launch) -> str:
            assert cancel(given.run_id, gcs_store, topic, launcher).state is State.CANCELLED
            return launcher.launch(given)

    slow = Slow.connect(JOB, endpoint=run_service.url)
    [outcome] = accept(message(), store=gcs_store, publisher=topic, launcher=slow)
    assert outcome.state is State.CANCELLED
    status = read_status(gcs_store, outcome.run_id)
    assert status is not None
    assert status.state is State.CANCELLED
    assert [event["state"] for event in events_in(topic)] == ["CANCELLED"]


def test_a_run_that_waits_for_its_launch_is_cancelled_and_never_launched(
    gcs_store: Store,
    topic: FileTopic,
    launcher: CloudRunLauncher,
    run_service: FakeCloudRun,
    message: Make,
) -> None:
    class Busy(CloudRunLauncher):
        def launch(self, given: Launch) -> str:
            raise NotStartedError(f"no quota for {given.run_id}")

    delivered = message()
    with pytest.raises(TransientError):
        accept(
            delivered, store=gcs_store, publisher=topic,
            launcher=Busy.connect(JOB, endpoint=run_service.url),
        )  # fmt: skip
    [run_id] = gcs_store.folders("runs/")
    assert cancel(run_id, gcs_store, topic, launcher).state is State.CANCELLED
    [again] = accept(delivered, store=gcs_store, publisher=topic, launcher=launcher)
    assert again.state is State.CANCELLED
    assert len(run_service.executions) == 0


def test_a_run_that_is_over_stays_so_and_is_told_if_it_was_not(
    gcs_store: Store, topic: FileTopic, launcher: CloudRunLauncher, message: Make
) -> None:
    [outcome] = accept(message(), store=gcs_store, publisher=topic, launcher=launcher)
    data = EventData(run_id=outcome.run_id, state=State.SKIPPED).model_dump(mode="json")
    change_status(gcs_store, outcome.run_id, lambda old: {"state": State.SKIPPED, "outcome": data})
    for _ in range(2):
        assert cancel(outcome.run_id, gcs_store, topic, launcher).state is State.SKIPPED
    assert [event["state"] for event in events_in(topic)] == ["SKIPPED"]


def test_a_run_whose_results_are_current_has_succeeded_whoever_cancels(
    gcs_store: Store, topic: FileTopic, launcher: CloudRunLauncher, message: Make
) -> None:
    [outcome] = accept(message(), store=gcs_store, publisher=topic, launcher=launcher)
    data = EventData(run_id=outcome.run_id, state=State.SUCCEEDED).model_dump(mode="json")
    change_status(gcs_store, outcome.run_id, lambda old: {"state": State.RUNNING, "outcome": data})
    promote(
        gcs_store, run_id=outcome.run_id, market="DE", revision="r1", accepted_at=now(), facts={}
    )
    assert cancel(outcome.run_id, gcs_store, topic, launcher).state is State.SUCCEEDED
    assert [event["state"] for event in events_in(topic)] == ["SUCCEEDED"]


def test_a_run_that_does_not_exist(gcs_store: Store, topic: FileTopic) -> None:
    with pytest.raises(ConfigError, match="there is no run"):
        cancel("20261123T020000Z-1a2b3c4d", gcs_store, topic, LocalLauncher([], env={}))


def test_the_command_stops_processes_of_another_launcher(
    tmp_path: Path, topic: FileTopic, local_launcher: LocalLauncher, message: Make
) -> None:
    store = open_store(str(tmp_path / "bucket"))
    [outcome] = accept(message(), store=store, publisher=topic, launcher=local_launcher)
    [execution] = local_launcher.executions.values()
    while local_launcher.get(execution.name) is None or execution.tasks[0].phase == "PENDING":
        time.sleep(0.02)
    time.sleep(0.2)
    done = CliRunner().invoke(
        app, ["cancel", outcome.run_id, "--bucket", str(tmp_path / "bucket"),
              "--topic", str(topic.path)],
    )  # fmt: skip
    assert done.output.splitlines()[-1] == f"CANCELLED {outcome.run_id}"
    assert execution.done.wait(10)
    status = read_status(store, outcome.run_id)
    assert status is not None
    assert status.state is State.CANCELLED
