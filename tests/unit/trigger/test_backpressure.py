"""Cloud Run's quota is low: deliveries fail and come again, and no state ever goes backwards."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from contract.exceptions import TransientError
from contract.run import State, Status, read_status
from contract.stores.folder import FolderStore
from contract.topics.jsonl import FileTopic
from tests.fakes.cloud_run import FakeCloudRun, Job
from tests.fakes.proxy import Call, Fault, Kind, Proxy
from tests.unit.trigger.conftest import JOB
from trigger.accept import accept
from trigger.cloud_run import CloudRunLauncher
from trigger.delivery import Delivery

MESSAGES = 50
Make = Callable[..., Delivery]


class Noting(FolderStore):
    """A bucket that remembers the states that each run was written in."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.states: dict[str, list[tuple[int, State]]] = defaultdict(list)

    def write(self, path: str, data: bytes, **more: Any) -> int:
        generation = super().write(path, data, **more)
        if path.endswith("/status.json"):
            self.states[path.split("/")[1]].append((generation, Status.from_json(data).state))
        return generation


def test_a_burst_beyond_the_quota_is_launched_once_and_in_order(
    tmp_path: Path, run_service: FakeCloudRun, message: Make
) -> None:
    run_service.deploy(Job(name="mmm-trainer", command=()))
    chance = random.Random(7)
    refused: list[str] = []

    def quota(call: Call) -> Fault | None:
        if ":run" not in call.path or chance.random() > 0.4:
            return None
        refused.append(call.path)
        return Fault(kind=Kind.STATUS, status=429)

    store, topic = Noting(tmp_path / "bucket"), FileTopic(tmp_path / "events.jsonl")
    messages = [message(message_id=str(number)) for number in range(MESSAGES)]
    deliveries = messages + messages[::5]
    chance.shuffle(deliveries)
    with Proxy(run_service.url, quota).running() as proxy:
        launcher = CloudRunLauncher.connect(JOB, endpoint=proxy.url)

        def deliver(one: Delivery) -> str:
            for _ in range(200):
                try:
                    return accept(one, store=store, publisher=topic, launcher=launcher)[0].run_id
                except TransientError:
                    continue
            raise AssertionError("never acknowledged")

        with ThreadPoolExecutor(8) as pool:
            runs = set(pool.map(deliver, deliveries))

    assert len(refused) > 10
    assert len(runs) == MESSAGES
    launched = [execution.env["MMM_RUN_ID"] for execution in run_service.executions.values()]
    assert sorted(launched) == sorted(runs)
    for run_id in runs:
        status = read_status(store, run_id)
        assert status is not None
        [execution] = run_service.of_run(run_id)
        assert (status.state, status.execution) == (State.LAUNCHED, execution.name)
        # Once launched, never accepted again: one LAUNCHED, and nothing but ACCEPTED before it.
        states = [state for _, state in sorted(store.states[run_id])]
        assert set(states[:-1]) <= {State.ACCEPTED}
        assert states[-1] is State.LAUNCHED
