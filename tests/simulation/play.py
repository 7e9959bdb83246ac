"""Play one seed: people and programs ask for runs while things go wrong, then all must be well."""

from __future__ import annotations

import gc
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.simulation import job, seam
from tests.simulation.invariants import ENDS, at_end
from tests.simulation.loop import Loop
from tests.simulation.world import World, config_of

TROUBLE_SECONDS = 1800.0
MOST_SECONDS = 12 * 3600.0
LOOK_SECONDS = 60.0


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
                yield
        finally:
            tempfile.tempdir = before
            if collecting:
                gc.enable()


def _memory() -> str | None:
    from pathlib import Path

    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def play(seed: int, *, keep: bool = False) -> Played:
    """Play a seed; `keep` keeps the lines of its trace."""
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


class Story:
    """What people do in a seed."""

    def __init__(self, world: World) -> None:
        self.world, self.loop, self.over = world, world.loop, False

    def tell(self) -> None:
        """Ask for runs in trouble; then check that all end well, and that nothing is blocked."""
        world, random = self.world, self.loop.random
        world.faults.draw_rates()
        markets = random.sample(["DE", "FR", "IT"], random.choice((1, 1, 2, 3)))
        world.data = dict.fromkeys(markets, 0)
        world.schedule()
        for _ in range(random.randint(1, 4)):
            self._ask(random.choice(markets))
            self.loop.pause(random.uniform(0, 10) ** 2)
        until = self.loop.now + random.uniform(60, TROUBLE_SECONDS)
        self.loop.pause(until - self.loop.now)
        self._calm()
        self._settle()
        self.loop.problems += at_end(world)
        if not self.loop.problems:
            self._further(markets)
        self.over = True

    def _ask(self, market: str) -> None:
        random = self.loop.random
        tasks = random.choice((1, 1, 2))
        variant = random.randint(0, 1)
        config = config_of(market, variant, trials=random.choice((1, 2, 3)), tasks=tasks)
        message = self.world.publish(
            {"config": config},
            f"{market} {variant}",
            [market],
            deliveries=random.choice((1, 1, 2, 3)),
        )
        if random.random() < 0.15:
            self.loop.at(random.uniform(0, 120), lambda: self._cancel(message))

    def _cancel(self, message: object) -> None:
        runs = [run_id for run_id, status in self.world.runs().items()]
        if runs:
            self.world.faults.count("cancel")
            self.world.cancel(self.loop.random.choice(sorted(runs)))

    def _calm(self) -> None:
        self.world.faults.on = False
        self.loop.note("CALM")

    def _settle(self) -> None:
        """Wait until every message is answered and every run has ended."""
        until = self.loop.now + MOST_SECONDS
        while self.loop.now < until and not self._settled():
            self.loop.pause(LOOK_SECONDS)

    def _settled(self) -> bool:
        world = self.world
        runs = world.runs()
        return (
            all(message.acknowledged for message in world.messages)
            and all(status and status["state"] in ENDS for status in runs.values())
            and not world.run.alive
            and {event["subject"] for event in world.events} >= runs.keys()
        )

    def _further(self, markets: list[str]) -> None:
        """Ask for a run with other data, then for the same one again."""
        world = self.world
        for market in markets:
            world.data[market] += 1
            config = config_of(market, 7, trials=1, tasks=1)
            for want in ("SUCCEEDED", "DUPLICATE"):
                message = world.publish({"config": config}, f"further {market}", [market])
                self._settle()
                [result] = message.results or [None]
                status = world.runs().get(result.run_id) if result else None
                if status is None or status["state"] != want:
                    self.loop.problems.append(
                        f"the further run of {market} is {status}, not {want}"
                    )
        self.loop.problems += at_end(world)


def told(lines: list[str]) -> str:
    """Return the lines of a trace as text."""
    return "\n".join(lines)


def as_json(played: Played) -> str:
    """Return the result of a seed as one line."""
    return json.dumps({"seed": played.seed, "faults": played.faults, "states": played.states})
