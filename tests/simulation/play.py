"""Play one seed: people and programs ask for runs while things go wrong, then all must be well."""

from __future__ import annotations

import gc
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation import job, seam
from tests.simulation.loop import Loop
from tests.simulation.story import Story
from tests.simulation.world import World

COLLECT = 20  # seeds; what they leave is in cycles, and looking for it takes long


@dataclass(frozen=True, kw_only=True)
class Played:
    """The result of a seed: its faults, the ends of its runs, and what was broken."""

    seed: int
    digest: str
    faults: Counter[str]
    states: Counter[str]
    problems: list[str]
    seconds: float
    lines: list[str] = field(default_factory=list)


@contextmanager
def simulation() -> Iterator[None]:
    """Make this process a simulation: no other test may run in it meanwhile."""
    before, collecting = tempfile.tempdir, gc.isenabled()
    with tempfile.TemporaryDirectory(prefix="sim-", dir=_memory()) as folder:
        tempfile.tempdir = folder
        try:
            with seam.installed(), job.installed():
                gc.collect()
                gc.freeze()
                gc.disable()
                yield
        finally:
            tempfile.tempdir = before
            gc.unfreeze()
            if collecting:
                gc.enable()


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def play(seed: int, *, keep: bool = False) -> Played:
    """Play a seed; `keep` keeps the lines of its trace."""
    if seed % COLLECT == 0:
        gc.collect()
    loop = Loop(seed, keep=keep)
    with seam.playing(loop):
        world = World(loop)
        story = Story(world)
        world.by("people", story.tell)
        loop.run(until=lambda: story.over)
        states = Counter(s["state"] for s in world.runs().values() if s)
        return Played(
            seed=seed, digest=loop.digest, faults=world.faults.counts, states=states,
            problems=[*dict.fromkeys(loop.problems)], seconds=loop.now, lines=loop.lines or [],
        )  # fmt: skip


def play_all(seeds: list[int]) -> list[Played]:
    """Play seeds in a process of their own."""
    with simulation():
        return [play(seed) for seed in seeds]
