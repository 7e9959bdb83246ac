"""A short simulation; `make simulate N=100000 SEED=1` plays a long one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contract.exceptions import CancelledError
from contract.stores.checksums import crc32c_of
from job.outputs.upload import upload_all
from tests.simulation import seam
from tests.simulation.loop import Loop, Process
from tests.simulation.play import play, simulation

ROOT = Path(__file__).resolve().parents[2]
SEEDS = (*range(1, 13), 100575)  # the last: a task fails while another one is at its last attempt
pytestmark = pytest.mark.no_cover  # measuring would take most of the time


@pytest.fixture(scope="module", autouse=True)
def simulated() -> Iterator[None]:
    with simulation():
        yield


@pytest.mark.parametrize("seed", SEEDS)
def test_all_is_well_after_faults(seed: int) -> None:
    assert play(seed).problems == []


def test_a_seed_is_played_again_exactly() -> None:
    first = [play(seed) for seed in (3, 7)]
    assert all(one.faults for one in first)
    assert [play(seed).digest for seed in (3, 7)] == [one.digest for one in first]
    script = "from tests.simulation.play import play, simulation\nwith simulation(): print(play(3).digest)"
    # Fresh processes, because other tests of this one may have left something behind.
    digests = {
        subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT,
            env={"PYTHONHASHSEED": hashes, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=True,
        ).stdout
        for hashes in ("1", "9")
    }  # fmt: skip
    assert len(digests) == 1


def test_a_stopped_attempt_goes_on_only_after_its_uploads(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.txt").write_text("x")
    loop, begun, landed, ended = Loop(1), [], [], []

    def upload(file: Path, path: str, **_: Any) -> Any:
        begun.append(path)
        loop.pause(3.0)
        landed.append(path)
        return SimpleNamespace(size=1, crc32c=crc32c_of(b"x"))

    store: Any = SimpleNamespace(upload=upload, url="gs://sim")
    process = Process("job")

    def work() -> None:
        with seam.stop_on_signal():
            try:
                upload_all(store, tmp_path, prefix="p/", there={})
            except CancelledError:
                ended.append((list(begun), list(landed)))

    with seam.playing(loop):
        loop.start(process, work)
        loop.at(0.5, lambda: loop.signal(process, "SIGTERM"))
        loop.run(until=lambda: False)
    [(at_work, done)] = ended
    assert sorted(done) == sorted(at_work)
    assert 0 < len(begun) < 20


def test_a_campaign_plays_seeds_in_processes() -> None:
    command = [
        sys.executable,
        "-m",
        "tests.simulation",
        "--faults",
        "1",
        "--seed",
        "1",
        "--batch",
        "1",
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "0 broken" in ended.stdout


def test_seeds_differ() -> None:
    assert play(1).digest != play(2).digest
