"""`mmm delete`: what goes, what stays, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contract import layout
from contract.base import canonical_json
from contract.exceptions import ConfigError
from contract.pages.update import update_index
from contract.run import State, read_status
from contract.stores import Store
from job.outputs import ledger
from mmm.commands import app
from mmm.decisions import rollback
from mmm.deletion import delete
from mmm.doctor import examine
from tests.faults.model import Service, Topic
from tests.unit.damage.conftest import Scene, finished, protocol, scene  # noqa: F401
from trigger.reconcile import reconcile

WHY = {"reason": "wrong data", "by": "jo@desk"}


@pytest.fixture(params=["folder", "gcs"])
def bucket(request: pytest.FixtureRequest, scene: Scene) -> Store:  # noqa: F811
    """Two finished runs of DE, the second one current."""
    scene.work(scene.accept("DE", 2))
    scene.settle()
    update_index(scene.store)
    if request.param == "folder":
        return scene.store
    store: Store = request.getfixturevalue("gcs_store")
    for info in scene.store.list(""):
        store.write(info.path, scene.store.read(info.path).data)
    return store


def paths(store: Store, run_id: str) -> list[str]:
    return [info.path for info in store.list("") if run_id in info.path]


def test_a_deleted_run_keeps_its_place_and_nothing_of_its_content(
    bucket: Store,
    scene: Scene,  # noqa: F811
) -> None:
    run_id, other = scene.id_of("DE", 1), scene.id_of("DE", 2)
    others = paths(bucket, other)
    request = json.loads(bucket.read(layout.request(run_id)).data)
    key = f"{layout.keys(run_id)}{'0' * 56}.json"  # as a message with a key of its own
    bucket.write(key, canonical_json(request))
    [mark] = bucket.list(f"runs/{run_id}/published/")

    for _ in range(2):  # a killed deletion is completed by the next
        delete(bucket, run_id, **WHY)
        entries = [path for path in paths(bucket, run_id) if path.startswith("decisions/")]
        assert set(paths(bucket, run_id)) == {layout.status(run_id), mark.path, *entries}
    assert json.loads(bucket.read(key).data) == {"run_id": run_id}
    assert paths(bucket, other) == others
    last = [one for one in ledger.decisions(bucket, "r1", "DE") if one.run_id == run_id][-1]
    assert (last.action, last.by, last.reason) == ("delete", "jo@desk", "wrong data")
    status = read_status(bucket, run_id)
    assert status is not None
    assert status.state is State.SUCCEEDED
    assert status.error is not None
    assert status.error.message.endswith("UTC by jo@desk: wrong data")
    assert status.outcome["best_model"] is None
    page = bucket.read(layout.index()).data.decode()
    assert run_id in page
    assert f"{run_id}/report.html" not in page
    assert f"{other}/report.html" in page
    assert list(examine(bucket)) == []


def test_a_deleted_run_is_neither_run_nor_reported_again(
    bucket: Store,
    scene: Scene,  # noqa: F811
) -> None:
    run_id = scene.id_of("DE", 1)
    delete(bucket, run_id, **WHY)
    bucket.delete(layout.closed_runs())  # a pass looks at every run again
    topic, service = Topic(), Service()
    reconcile(bucket, topic, service)
    assert topic.events == []
    assert service.executions == []
    with pytest.raises(ConfigError, match="is the only accepted run"):
        rollback(bucket, "DE", "r1", **WHY)


def test_the_current_run_and_one_at_work_are_refused(scene: Scene) -> None:  # noqa: F811
    with pytest.raises(ConfigError, match="is the current run of market `DE`"):
        delete(scene.store, scene.id_of("DE", 1), **WHY)
    request = scene.accept("DE", 2)
    with pytest.raises(ConfigError, match="is ACCEPTED; `mmm cancel"):
        delete(scene.store, request.run_id, **WHY)


def test_a_run_whose_event_is_not_published_is_refused(scene: Scene) -> None:  # noqa: F811
    scene.work(scene.accept("DE", 2))
    run_id = scene.id_of("DE", 1)
    [mark] = scene.store.list(f"runs/{run_id}/published/")
    scene.store.delete(mark.path)
    with pytest.raises(ConfigError, match="is not published yet"):
        delete(scene.store, run_id, **WHY)
    assert paths(scene.store, run_id)


def mmm(store: Any, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--bucket", str(store.root)])


def test_the_command_asks_before_it_deletes(scene: Scene) -> None:  # noqa: F811
    scene.work(scene.accept("DE", 2))
    run_id = scene.id_of("DE", 1)
    command = ("delete", run_id, "--reason", "wrong data")
    asked = mmm(scene.store, *command)
    assert asked.exit_code == 64
    assert "give `--yes` to delete" in asked.stderr
    assert scene.store.stat(layout.request(run_id)) is not None
    done = mmm(scene.store, *command, "--by", "jo", "--yes")
    assert done.stdout.startswith(f"DELETED {run_id}: ")
    shown = mmm(scene.store, "show", run_id).stdout
    assert "by jo: wrong data" in shown
    assert mmm(scene.store, "delete", "20261123T020000Z-00000000", "--reason", "x").exit_code == 64
