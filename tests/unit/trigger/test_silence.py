"""With a clock: no run stays RUNNING for a quarter of an hour after its owner died."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from contract import layout
from contract.lease import Lease
from contract.run import State, change_status, now, read_status
from contract.stores import folder, open_store
from tests.faults.model import Service, Topic, message
from trigger.accept import accept
from trigger.execution import Phase
from trigger.reconcile import PASS_SECONDS, reconcile

ROOT = Path(__file__).resolve().parents[3]
HEARTBEAT = 20.0


class Clock:
    """The bucket's clock; nanoseconds that grow with every look, as a file's times must."""

    def __init__(self) -> None:
        self.seconds = time.time()
        self._looks = 0

    def time_ns(self) -> int:
        self._looks += 1
        return int(self.seconds * 1e9) + self._looks


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.FAILED, Phase.SUCCEEDED, None])
@pytest.mark.parametrize("first_pass", [1.0, 100.0, 119.0, 121.0, 299.0])
def test_a_run_whose_owner_died_is_closed_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: Phase | None, first_pass: float
) -> None:
    clock, service, topic = Clock(), Service(), Topic()
    monkeypatch.setattr(folder, "time", clock)
    store = open_store(str(tmp_path))
    [outcome] = accept(message(), store=store, publisher=topic, launcher=service)
    lease = Lease(owner="o", execution="job-0", task=0, attempt=0, nonce="n")
    for _ in range(3):  # it lives, then it dies
        clock.seconds += HEARTBEAT
        store.write(layout.lease(outcome.run_id, 0), lease.to_json())
        fields = {"state": State.RUNNING, "heartbeat_at": now()}
        change_status(store, outcome.run_id, lambda old: dict(fields))  # noqa: B023
    died = clock.seconds
    if phase is None:
        service.executions.clear()
    else:
        service.executions[0] = replace(service.executions[0], phase=phase, reason="OOM")
    schedule = (ROOT / "infra" / "scheduler.tf").read_text()
    [minutes] = re.findall(r'"\*/(\d+) \* \* \* \*"', schedule)
    clock.seconds += first_pass
    while clock.seconds - died + PASS_SECONDS <= 15 * 60:
        assert reconcile(store, topic, service).problems == []
        clock.seconds += int(minutes) * 60
    status = read_status(store, outcome.run_id)
    assert status is not None
    assert status.state is State.FAILED
    assert [event["data"]["state"] for event in topic.events] == ["FAILED"]
    if phase is Phase.FAILED:
        assert "OOM" in str(status.error)
