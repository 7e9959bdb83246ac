"""Damage that is not an object of the matrix: files, the local topic, causes of errors, one run's own."""

from __future__ import annotations

import fcntl
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contract import layout
from contract.exceptions import ArtifactError, DamagedError, TransientError
from contract.open_runs import Ended, open_runs, read_ended
from contract.run import State, change_status, now
from contract.stores.folder import FolderStore
from contract.topics.jsonl import FileTopic
from job.runtime.disk import is_disk_error
from mmm.local.launcher import LocalLauncher
from tests.faults.model import CONFIG, message
from tests.unit.damage.conftest import Scene, age
from trigger.accept import accept
from trigger.delivery import Delivery
from trigger.execution import Launch, Phase


def test_a_file_that_cannot_be_read_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(tmp_path)
    store.write("a/x.json", b"{}")
    real = Path.open

    def refuse(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self.name == "x.json":
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(
        DamagedError, match=r"`a/x\.json` is damaged: it cannot be read: Permission"
    ):
        store.read("a/x.json")
    assert [info.path for info in store.list("a/")] == ["a/x.json"]


def test_a_full_disk_of_the_bucket_is_transient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, expected in ((28, TransientError), (13, ArtifactError)):
        monkeypatch.setattr(
            Path, "write_bytes", lambda *_, n=number: (_ for _ in ()).throw(OSError(n, "no"))
        )
        with pytest.raises(expected):
            FolderStore(tmp_path).write("a.json", b"{}")


def test_a_cause_that_was_set_aside_does_not_count() -> None:
    def raised(*, aside: bool) -> Exception:
        try:
            try:
                raise OSError(28, "No space left on device")
            except OSError as error:
                if aside:
                    raise ValueError("other") from None
                raise ValueError("other") from error
        except ValueError as error:
            return error

    assert is_disk_error(raised(aside=False))
    assert not is_disk_error(raised(aside=True))


def test_torn_lines_of_the_topic_are_left_out(tmp_path: Path) -> None:
    topic = FileTopic(tmp_path / "t.jsonl")
    first = topic.publish(b"1", {})
    with topic.path.open("a") as stream:
        stream.write('{"messageId": "torn", "da')
    second = topic.publish(b"2", {"a": "b"})
    with topic.path.open("a") as stream:
        stream.write('[1]\n{"messageId": "x", "attributes": {"a": 1}}\n\n')
    assert [one["messageId"] for one in topic.messages()] == [first, second]


def test_the_topic_is_read_after_its_writer(tmp_path: Path) -> None:
    topic = FileTopic(tmp_path / "t.jsonl")
    topic.publish(b"1", {})
    seen: list[int] = []
    reader = threading.Thread(target=lambda: seen.append(len(list(topic.messages()))))
    with topic.path.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.write('{"messageId": "2", ')
        stream.flush()
        reader.start()
        stream.write('"data": ""}\n')
    reader.join(30)
    assert seen == [2]


def test_an_execution_without_a_folder_fails(tmp_path: Path) -> None:
    launcher = LocalLauncher(["true"], env={"TMPDIR": str(tmp_path / "no" / "such")}, max_retries=0)
    name = launcher.launch(Launch(run_id="20261123T020000Z-1a2b3c4d", config_uri=None))
    execution = launcher.wait(name, 30)
    assert execution.phase is Phase.FAILED
    assert "no" in str(execution.reason)


def test_each_market_of_a_message_stands_alone(scene: Scene) -> None:
    body = json.dumps({"config": CONFIG, "markets": ["DE", "FR"]}).encode()
    base = message(5)
    both = Delivery(message_id="5", publish_time=base.publish_time, topic="t", data=body)

    def deliver() -> list[Any]:
        return accept(both, store=scene.store, publisher=scene.topic, launcher=scene.service)

    first, second = deliver()
    launched = len(scene.service.executions)
    scene.store.write(layout.status(first.run_id), b"torn")
    again = deliver()
    assert [one.state for one in again] == [None, State.LAUNCHED]
    assert f"`{layout.status(first.run_id)}` is damaged" in str(again[0].problem)
    assert again[1].run_id == second.run_id
    assert len(scene.service.executions) == launched


def test_a_run_whose_request_is_damaged_ends_unless_it_is_at_work(scene: Scene) -> None:
    request = scene.accept("DE", 3)
    scene.store.write(layout.request(request.run_id), b"torn")
    change_status(scene.store, request.run_id, lambda _: {"state": State.RUNNING})
    lease = scene.store.read(layout.lease(scene.id_of("DE", 1))).data
    live = json.dumps({**json.loads(lease), "released": False}).encode()
    scene.store.write(layout.lease(request.run_id), live)
    scene.settle()
    assert scene.state("DE", 3) is State.RUNNING
    age(scene.store, layout.lease(request.run_id))
    scene.settle()
    assert scene.state("DE", 3) is State.FAILED


def test_a_damaged_market_keeps_its_holder_and_queue(scene: Scene) -> None:
    holder = scene.accept("DE", 3)
    change_status(scene.store, holder.run_id, lambda _: {"state": State.RUNNING, "step": "train"})
    lease = json.loads(scene.store.read(layout.lease(scene.id_of("DE", 1))).data)
    live = json.dumps({**lease, "released": False}).encode()
    scene.store.write(layout.lease(holder.run_id), live)
    scene.store.write(layout.market("DE"), b"torn")
    ending = scene.work(scene.accept("DE", 4))
    assert (ending.state, ending.message) == (State.ACCEPTED, f"waits for run {holder.run_id}")
    stored = json.loads(scene.store.read(layout.market("DE")).data)
    assert stored["holder"] == holder.run_id
    assert [one["run_id"] for one in stored["waiting"]] == [scene.id_of("DE", 4)]


def test_the_list_of_ended_runs_is_bounded(scene: Scene) -> None:
    old = [f"{now() - timedelta(days=days):%Y%m%dT%H%M%SZ}-0000000a" for days in (400, 300)]
    for run_id in old:
        (scene.store.root / "runs" / run_id).mkdir()
    scene.store.write(layout.closed_runs(), Ended(runs=old[:1], older=[old[1]]).to_json())
    assert open_runs(scene.store, read_ended(scene.store), at=now())[0] == old[1]
    scene.settle()
    ended = read_ended(scene.store)
    assert old[0] not in ended.runs
    assert ended.older == []
    before = (scene.store.root / layout.closed_runs()).stat().st_mtime_ns
    scene.settle()
    assert (scene.store.root / layout.closed_runs()).stat().st_mtime_ns == before
