"""`mmm upgrade-check`: what a new version does to the current runs, in words and in its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contract import layout
from contract.base import canonical_json, sha256_hex
from contract.run import State, Status
from contract.stores.folder import FolderStore
from job.ending import Ending
from job.outputs.manifest import Manifest, Versions, read_manifest
from mmm import upgrade
from mmm.commands import app
from tests.unit.commands.test_export import RUN, store, write  # noqa: F401
from tests.unit.outputs.test_decide import drawn

DATA = b"the extract"
New = Callable[[dict[str, Any] | None], None]


@pytest.fixture
def bucket(store: FolderStore) -> FolderStore:  # noqa: F811
    """A market whose current run has its data."""
    at = datetime(2026, 11, 23, 2, tzinfo=UTC)
    status = Status(
        run_id=RUN, state=State.SUCCEEDED, market="DE", revision="r1", created_at=at, updated_at=at
    )
    store.write(layout.status(RUN), status.to_json())
    store.write(layout.current("r1", "DE"), canonical_json({"run_id": RUN}))
    store.write(layout.work(RUN, "snapshot.parquet"), DATA)
    facts = read(store).data.model_copy(update={"sha256": sha256_hex(DATA)})
    write(store, {"metrics.json": figures(2.0)}, data=facts)
    return store


def read(store: FolderStore) -> Manifest:  # noqa: F811
    found = read_manifest(store, "r1", "DE", RUN)
    assert found is not None
    return found


def figures(tv: float, verdict: str = "PASS") -> bytes:
    metrics = drawn(tv)
    search = {**drawn(3.0)["posterior"]["channels"][0], "name": "search"}
    metrics["posterior"]["channels"].append(search)
    return canonical_json({**metrics, "verdict": {"verdict": verdict, "findings": []}})


@pytest.fixture
def new_version(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes | None], None]:
    """Make the training of the new version give these figures, or none."""

    def gives(metrics: bytes | None) -> None:
        def train(run: Manifest, place: Path) -> tuple[Ending, Manifest | None]:
            copy = FolderStore(place)
            assert copy.read(layout.work(RUN, "snapshot.parquet")).data == DATA
            if metrics is None:
                failed = Ending(run_id=RUN, state=State.FAILED, exit_code=70, message="R says: no")
                return failed, None
            versions = Versions(mmm_trainer="2", image=None, python="3", python_packages={})
            after = write(copy, {"metrics.json": metrics}, versions=versions)
            return Ending(run_id=RUN, state=State.SUCCEEDED, exit_code=0), after

        monkeypatch.setattr(upgrade, "train_again", train)

    return gives


def check(bucket: FolderStore, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["upgrade-check", *arguments, "--bucket", str(bucket.root)])


@pytest.mark.parametrize(
    ("metrics", "code", "said"),
    [
        (figures(2.0), 0, "EQUAL     DE"),
        (figures(2.1), 0, "changes by at most 5.0%"),
        (figures(4.0), 1, "ROAS of `tv` is 4.00 and was 2.00, a change of 100%; allowed: 30%"),
        (figures(2.0, "REVIEW"), 1, "the verdict was PASS and is REVIEW"),
        (canonical_json(drawn(2.0)), 1, "channel `search` has no result in one of the trainings"),
        (None, 1, "R says: no"),
    ],
)
def test_a_version_is_safe_or_not(
    bucket: FolderStore,
    new_version: Callable[[bytes | None], None],
    metrics: bytes | None,
    code: int,
    said: str,
) -> None:
    before = {info.path: bucket.read(info.path).data for info in bucket.list("")}
    new_version(metrics)
    done = check(bucket)
    assert done.exit_code == code, done.output
    assert said in done.stdout
    assert f"{1 - code} of 1 runs are safe with this version; 1 were checked" in done.stdout
    if metrics is not None:
        assert "mmm-trainer: 1 then, 2 now" in done.stdout
    assert {info.path: bucket.read(info.path).data for info in bucket.list("")} == before


def test_a_run_without_its_data_is_not_checked(bucket: FolderStore) -> None:
    bucket.delete(layout.work(RUN, "snapshot.parquet"))
    done = check(bucket, "DE", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["outcome"] == "UNCHECKED"


def test_a_config_that_the_version_does_not_accept_is_a_finding(bucket: FolderStore) -> None:
    request = json.loads(bucket.read(layout.request(RUN)).data)
    request["config"]["target"]["kind"] = "likes"
    bucket.write(layout.request(RUN), canonical_json(request))
    done = check(bucket)
    assert done.exit_code == 1
    assert done.stdout.startswith("FAILED    DE")
    assert "does not fit this version" in done.stdout


def test_a_market_that_is_not_there_is_named(bucket: FolderStore, tmp_path: Path) -> None:
    assert check(bucket, "IT").exit_code == 64
    assert check(FolderStore(tmp_path / "empty")).exit_code == 64
