"""`python -m tests.faults.chaos --faults N --seed S`: seeded faults over the real clients.

Each seed draws a plan (`tests.faults.plan`): calls to Cloud Storage and Cloud Run that are refused,
lost, delayed or changed, or that kill or stop their caller; deaths of job and R at the boundaries of
steps; wrong clocks, full disks, topics that are down, restarts of the storage, and simultaneous
deliveries and executions. The job is the real one, with its checkpoints, artifacts and events; only
R's computations are left out. Then `reconcile` runs until every run is closed, and the invariants
(`tests.faults.invariants`) are checked.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.fakes import gcs, pubsub
from tests.faults.invariants import (
    check_current,
    check_fingerprints,
    check_nothing_left,
    check_run,
)
from tests.faults.plan import Plan, draw
from tests.faults.scene import scene

PATIENCE_SECONDS = 480.0


@dataclass(frozen=True, kw_only=True)
class Played:
    """The result of one seed: the faults, the ends of the runs, and a broken invariant."""

    seed: int
    faults: tuple[str, ...]
    states: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    problem: str | None = None
    seconds: float = 0.0


def play(seed: int, emulator: str | None = None) -> Played:
    """Play one seed and check the invariants; a broken seed keeps its folder."""
    return perform(draw(seed), emulator)


def perform(plan: Plan, emulator: str | None = None) -> Played:
    """Play a plan, drawn or written by hand, and check the invariants."""
    started, seed = time.monotonic(), plan.seed
    folder = Path(tempfile.mkdtemp(prefix=f"mmm-chaos-{seed}-"))
    injected: list[str] = []
    try:
        with scene(plan, folder, emulator) as one:
            injected = one.injected
            one.deliver_all()
            one.operate()
            states = one.settle(PATIENCE_SECONDS)
            for execution in one.executions:
                execution.done.wait(60)
            events = one.events()
            for run_id in states:
                cancels = plan.cancel_after is not None
                check_run(one.direct_store, run_id, events, may_cancel=cancels)
            check_current(one.direct_store, states)
            check_fingerprints(one.direct_store, states)
            check_nothing_left([e.short_name for e in one.executions], folder / "tmp")
    except Exception as error:  # a seed that cannot be played counts as broken
        problem = f"{error}" if isinstance(error, AssertionError) else traceback.format_exc()
        return Played(seed=seed, faults=tuple(injected), problem=f"{problem} (see {folder})")
    finally:
        gc.collect()
    shutil.rmtree(folder, ignore_errors=True)
    return Played(
        seed=seed, faults=tuple(injected), states=tuple(s.state.value for s in states.values()),
        ends=tuple(f"{s.state}: {s.error.message}" if s.error else s.state.value
                   for s in states.values()),
        seconds=time.monotonic() - started,
    )  # fmt: skip


def campaign(faults: int, seed: int, workers: int) -> Iterator[Played]:
    """Play seeds, starting with `seed`, until this number of faults was injected."""
    emulator = None if pubsub.missing() else pubsub.start()
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            running, injected = set(), 0
            while running or injected < faults:
                while injected < faults and len(running) < workers:
                    running.add(pool.submit(play, seed, emulator.host if emulator else None))
                    seed += 1
                over, running = wait(running, return_when=FIRST_COMPLETED)
                for one in over:
                    injected += len(one.result().faults)
                    yield one.result()
    finally:
        if emulator:
            emulator.process.kill()
            emulator.process.wait()


def main() -> int:
    """Play a campaign; the last line is the summary and the exit code is 1 if a seed is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--plan", action="store_true", help="print the seed's plan and exit")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # also ends the stand-ins
    if given.plan:
        print(json.dumps(asdict(draw(given.seed)), indent=2))
        return 0
    if reason := gcs.missing():
        print(f"cannot play seeds: {reason}")
        return 1
    played, states = [], Counter[str]()
    for one in campaign(given.faults, given.seed, given.workers):
        played.append(one)
        states.update(one.states)
        verdict = f"BROKEN {one.problem}" if one.problem else f"ok {' '.join(one.ends)}"
        print(f"seed {one.seed}: {verdict}  {json.dumps(one.faults)}", flush=True)
    broken = sorted(one.seed for one in played if one.problem)
    injected = sum(len(one.faults) for one in played)
    ended = ", ".join(f"{number} {state}" for state, number in states.most_common())
    print(
        f"{injected} faults in {len(played)} seeds from {given.seed}: {ended}; "
        f"{len(broken)} broken {broken or ''}".strip()
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
