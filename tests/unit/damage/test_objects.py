"""Each kind of object, damaged in each way: other runs and markets are not hurt, `doctor` repairs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract import layout
from contract.config import Config
from contract.run import State
from job.cost.history import read_history
from job.gate.previous import previous_quality
from job.outputs.duplicate import finished_run
from mmm.dead_letters import rejected_letters
from mmm.doctor import examine
from mmm.objects import KINDS, Kind
from tests.faults.model import CONFIG, message
from tests.unit.damage.conftest import Scene, age
from trigger.accept import accept
from trigger.delivery import Delivery

ROOT = Path(__file__).resolve().parents[3]


def _wrong_types(data: bytes) -> bytes:
    """Replace every value by a list, which no field of these objects allows in all places."""
    return json.dumps({name: [[1]] for name in json.loads(data)} or {"a": 1}).encode()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "not JSON": lambda data: b"<html>503</html>",
    "wrong types": _wrong_types,
    "torn": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
}
ANYTHING = {"runs/<run id>/work/estimate.json", "runs/<run id>/work/merge.json"} | {
    "robyn/<revision>/<market>/<run id>/metrics.json"
}  # any JSON object is one of these


def paths_of(scene: Scene, kind: Kind, number: int = 1) -> list[str]:
    """The objects of a kind that belong to DE, or to no market."""
    other = scene.id_of("FR", number)
    paths = [i.path for i in scene.store.list(kind.prefix) if kind.matches(i.path)]
    return [path for path in paths if other not in path and "/FR" not in path and "fFR" not in path]


def damage(scene: Scene, path: str, how: str) -> None:
    data = scene.store.read(path).data
    scene.store.write(path, DAMAGES[how](data))


def check_others(scene: Scene) -> None:
    """The market's next run and another market's succeed, and everything else can be read."""
    body = {"config": CONFIG, "markets": ["DE", "FR"]}
    base = message(9)
    both = Delivery(
        message_id="9", publish_time=base.publish_time, topic="t", data=json.dumps(body).encode()
    )
    results = accept(both, store=scene.store, publisher=scene.topic, launcher=scene.service)
    assert [result.state for result in results] == [State.LAUNCHED, State.LAUNCHED]
    for market in ("FR", "DE"):
        ending = scene.work(scene.accept(market, 2))
        assert (ending.state, ending.exit_code) == (State.SUCCEEDED, 0), ending.message
        assert scene.current(market) == scene.id_of(market, 2)
        config = Config.model_validate({**CONFIG, "market": market})
        previous_quality(scene.store, config)
        read_history(scene.store, market=market, revision="r1", engine="builtin")
        finished_run(scene.store, f"f{market}", revision="r1", market=market)
    assert previous_quality(scene.store, Config.model_validate({**CONFIG, "market": "FR"}))
    assert len(list(rejected_letters(scene.store))) >= 1
    scene.settle()


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_damaged_object_hurts_no_other_run(scene: Scene, kind: Kind, how: str) -> None:
    if how == "wrong types" and kind.name in ANYTHING:
        pytest.skip("any JSON object is valid")
    path = paths_of(scene, kind)[0]
    damage(scene, path, how)
    [found] = examine(scene.store)
    assert found.path == path
    assert found.remedy == kind.remedy
    check_others(scene)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_missing_object_hurts_no_other_run(scene: Scene, kind: Kind) -> None:
    scene.store.delete(paths_of(scene, kind)[0])
    assert list(examine(scene.store)) == []
    check_others(scene)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_object_of_a_newer_version_is_not_damaged(scene: Scene, kind: Kind) -> None:
    [path, *_] = paths_of(scene, kind)
    fields: dict[str, Any] = json.loads(scene.store.read(path).data)
    scene.store.write(path, json.dumps({**fields, "of_a_newer_version": {"a": [1]}}).encode())
    assert list(examine(scene.store)) == []
    check_others(scene)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_doctor_repairs(scene: Scene, kind: Kind) -> None:
    path = paths_of(scene, kind)[0]
    before = scene.store.read(path).data
    damage(scene, path, "torn")
    if kind.is_lease:  # its owner may be at work
        assert [one.done for one in examine(scene.store, repair=True)] == [None]
        age(scene.store, path)
    [repaired] = examine(scene.store, repair=True)
    assert repaired.done is not None
    [kept] = scene.store.list(f"{layout.DAMAGED}{path}/")
    assert scene.store.read(kept.path).data == before[: len(before) // 2]
    assert list(examine(scene.store)) == []
    check_others(scene)


def test_doctor_makes_again_what_other_objects_say(scene: Scene) -> None:
    run_id = scene.id_of("DE", 1)
    [event] = scene.store.list(layout.events(run_id))
    for path in (layout.status(run_id), layout.current("r1", "DE"), event.path):
        before = json.loads(scene.store.read(path).data)
        damage(scene, path, "torn")
        [repaired] = examine(scene.store, repair=True)
        assert "made again" in str(repaired.done)
        after = json.loads(scene.store.read(path).data)
        for name in ("state", "outcome", "run_id", "event"):
            assert after.get(name) == before.get(name), (path, name)


def test_the_docs_list_every_kind() -> None:
    text = (ROOT / "docs" / "bucket.md").read_text()
    listed = set(re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE))
    assert {kind.name for kind in KINDS} <= listed
