"""`python -m tests.simulation --faults N --seed S`: play seeds until N faults were injected."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.play import Played, play, play_all, simulation

BATCH = 50


def campaign(faults: int, seed: int, workers: int, batch: int) -> Iterator[Played]:
    """Play seeds, starting with `seed`, until this number of faults was injected."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        injected, running = 0, []
        while injected < faults or running:
            while injected < faults and len(running) < 2 * workers:
                running.append(pool.submit(play_all, list(range(seed, seed + batch))))
                seed += batch
            for one in running.pop(0).result():
                injected += one.faults.total()
                yield one


def main() -> int:
    """Play seeds; the exit code is 1 if one is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--faults", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--batch", type=int, default=BATCH, help="seeds that a process plays")
    parser.add_argument("--trace", action="store_true", help="play one seed and print its trace")
    given = parser.parse_args()
    if given.trace:
        with simulation():
            played = play(given.seed, keep=True)
        print("\n".join([*played.lines, *played.problems, played.digest]))
        return 1 if played.problems else 0
    began = time.monotonic()
    counts, states, broken, seeds = Counter[str](), Counter[str](), [], 0
    for one in campaign(given.faults, given.seed, given.workers, given.batch):
        seeds += 1
        counts += one.faults
        states += one.states
        if one.problems:
            broken.append(one.seed)
            print(f"seed {one.seed}: BROKEN {'; '.join(one.problems)}", flush=True)
    seconds = time.monotonic() - began
    ends = ", ".join(f"{number} {state}" for state, number in states.most_common())
    kinds = ", ".join(f"{number} {kind}" for kind, number in counts.most_common())
    print(
        f"{counts.total()} faults in {seeds} seeds and {states.total()} runs from seed {given.seed}, "
        f"{counts.total() / seconds:.0f} faults and {states.total() * 60 / seconds:.0f} runs: a "
        f"second and a minute; {ends}; {kinds}; {len(broken)} broken {broken or ''}".strip()
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
