"""What a seed does to a run: drawn beforehand from the seed alone, so that it can be played again."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.fakes.proxy import Kind

JOB_CALLS = 110  # of the storage, in a run without faults, roughly
TRIGGER_CALLS = 16  # of the storage, of a few deliveries and a first reconciling
SERVICE_CALLS = 4
KINDS = {
    Kind.STATUS: 4,
    Kind.CUT_BEFORE: 3,
    Kind.CUT_AFTER: 4,
    Kind.DELAY: 2,
    Kind.CORRUPT: 4,
    Kind.KILL_BEFORE: 2,
    Kind.KILL_AFTER: 2,
}
MOMENTS = ("inputs", "trial1", "trial2", "trial3", "outputs")
MINUTES = 60


@dataclass(frozen=True, kw_only=True)
class Broken:
    """The call number `at` breaks; job and trigger count their calls of the storage apart."""

    at: int
    kind: Kind
    status: int = 503


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All faults of a seed.

    `clocks` and `disks` have a value for each attempt: seconds that the job's clock is off, and the
    largest file in bytes (0: any). `queue` is how many further runs of the market are asked for at
    once; `by_args` executes the run again as `--args=--run-id,RUN` does; `real_r` trains for real.
    """

    seed: int
    job: tuple[Broken, ...] = ()
    trigger: tuple[Broken, ...] = ()
    service: tuple[Broken, ...] = ()
    deliveries: int = 1
    reordered: bool = False
    own_process: bool = False
    moment: str | None = None
    victim: str = "job"
    clocks: tuple[int, ...] = (0,)
    disks: tuple[int, ...] = (0,)
    topic: str | None = None
    restart_at: int | None = None
    refuses_manifest: bool = False
    twice: bool = False
    cancel_after: float | None = None
    trigger_clock: int = 0
    tasks: int = 1
    real_r: bool = False
    queue: int = 0
    by_args: bool = False
    manifest_status: int = 403
    restart_seconds: float = 0.0
    restart_by: str = "job"

    @property
    def messages(self) -> int:
        """How many runs are asked for."""
        return 1 + self.queue + self.reordered


def draw(seed: int) -> Plan:
    """The plan of a seed."""
    chance = random.Random(seed)

    def maybe(share: float) -> bool:
        return chance.random() < share

    def broken(calls: int, most: int) -> tuple[Broken, ...]:
        kinds, weights = zip(*KINDS.items(), strict=True)
        return tuple(
            Broken(
                at=at,
                kind=chance.choices(kinds, weights)[0],
                status=chance.choice((429, 500, 503)),
            )
            for at in sorted(chance.sample(range(calls), chance.randint(1, most)))
        )

    job = broken(JOB_CALLS, 5)
    if maybe(0.2):
        stop = Broken(at=chance.randrange(15, JOB_CALLS), kind=Kind.STOP)
        job = (*(b for b in job if b.at != stop.at), stop)
    return Plan(
        seed=seed,
        job=job,
        trigger=broken(TRIGGER_CALLS, 2) if maybe(0.5) else (),
        service=broken(SERVICE_CALLS, 1) if maybe(0.5) else (),
        deliveries=chance.randint(1, 3),
        reordered=maybe(0.1),
        own_process=maybe(0.25),
        moment=chance.choice(MOMENTS) if maybe(0.4) else None,
        victim=chance.choice(("job", "r")),
        clocks=tuple(chance.choice((-10, 0, 7, 60)) * MINUTES for _ in range(3))
        if maybe(0.4)
        else (0,),
        disks=(chance.choice((200, 3_000, 12_000, 40_000, 200_000)), 0) if maybe(0.15) else (0,),
        topic=chance.choice(("down", "deaf")) if maybe(0.25) else None,
        restart_at=chance.randrange(JOB_CALLS) if maybe(0.2) else None,
        refuses_manifest=maybe(0.06),
        twice=maybe(0.25),
        cancel_after=chance.uniform(0, 6) if maybe(0.08) else None,
        trigger_clock=chance.choice((-7, 0, 0, 7)) * MINUTES,
        tasks=2 if maybe(0.3) else 1,
        real_r=maybe(0.06),
        queue=1 if maybe(0.1) else 0,
        by_args=maybe(0.5),
        manifest_status=chance.choice((403, 503)),
        restart_seconds=chance.choice((0.0, 1.0, 4.0)),
        restart_by="trigger" if maybe(0.2) else "job",
    )
