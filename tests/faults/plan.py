"""The faults of a seed; the plan depends on the seed alone, so that it can be played again."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.fakes.proxy import Kind

JOB_CALLS = 110  # approximate calls of the storage in a run without faults
TRIGGER_CALLS = 16  # calls of the storage in a few deliveries and a first `reconcile`
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
DAMAGES = ("torn", "empty", "newer", "older", "binary")
# Objects whose damage must block nothing: of the run's market, of another one, and of the trigger.
BECOMES_DAMAGED = (
    "markets/DE.json",
    "robyn/r1/FR/20250101T000000Z-00000000/manifest.json",
    "reconcile/closed.json",
)
FOUND_DAMAGED = (*BECOMES_DAMAGED, "robyn/r1/DE/current.json", "limits/today.json")


@dataclass(frozen=True, kw_only=True)
class Broken:
    """The call number `at` breaks; job and trigger count their calls of the storage separately."""

    at: int
    kind: Kind
    status: int = 503


@dataclass(frozen=True, kw_only=True)
class Damage:
    """The object at `path` is replaced at the job's call number `at`, or before everything else."""

    path: str
    how: str
    at: int | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All faults of a seed.

    `clocks` and `disks` have a value for each attempt: the error of the job's clock in seconds, and
    the largest file in bytes (0: any). `queue` is the number of additional runs of the market that
    are requested at once. `by_args` executes the run again as `--args=--run-id,RUN` does. `real_r`
    trains with the real R. Job and trigger get 403 from the storage for `denied_seconds`, from the
    job's call number `denied_at` on, as long as a grant of IAM needs to take effect.
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
    damage: Damage | None = None
    denied_at: int | None = None
    denied_seconds: float = 0.0

    @property
    def messages(self) -> int:
        """Return the number of runs that are requested."""
        return 1 + self.queue + self.reordered


def draw(seed: int) -> Plan:
    """Return the plan of a seed."""
    rng = random.Random(seed)

    def maybe(share: float) -> bool:
        return rng.random() < share

    def broken(calls: int, most: int) -> tuple[Broken, ...]:
        kinds, weights = zip(*KINDS.items(), strict=True)
        return tuple(
            Broken(
                at=at,
                kind=rng.choices(kinds, weights)[0],
                status=rng.choice((429, 500, 503)),
            )
            for at in sorted(rng.sample(range(calls), rng.randint(1, most)))
        )

    def damage() -> Damage:
        before = maybe(0.5)
        path = rng.choice(FOUND_DAMAGED if before else BECOMES_DAMAGED)
        return Damage(
            path=path, how=rng.choice(DAMAGES), at=None if before else rng.randrange(JOB_CALLS)
        )

    job = broken(JOB_CALLS, 5)
    if maybe(0.2):
        stop = Broken(at=rng.randrange(15, JOB_CALLS), kind=Kind.STOP)
        job = (*(b for b in job if b.at != stop.at), stop)
    return Plan(
        seed=seed,
        job=job,
        trigger=broken(TRIGGER_CALLS, 2) if maybe(0.5) else (),
        service=broken(SERVICE_CALLS, 1) if maybe(0.5) else (),
        deliveries=rng.randint(1, 3),
        reordered=maybe(0.1),
        own_process=maybe(0.25),
        moment=rng.choice(MOMENTS) if maybe(0.4) else None,
        victim=rng.choice(("job", "r")),
        clocks=tuple(rng.choice((-10, 0, 7, 60)) * MINUTES for _ in range(3))
        if maybe(0.4)
        else (0,),
        disks=(rng.choice((200, 3_000, 12_000, 40_000, 200_000)), 0) if maybe(0.15) else (0,),
        topic=rng.choice(("down", "deaf")) if maybe(0.25) else None,
        restart_at=rng.randrange(JOB_CALLS) if maybe(0.2) else None,
        refuses_manifest=maybe(0.06),
        twice=maybe(0.25),
        cancel_after=rng.uniform(0, 6) if maybe(0.08) else None,
        trigger_clock=rng.choice((-7, 0, 0, 7)) * MINUTES,
        tasks=2 if maybe(0.3) else 1,
        real_r=maybe(0.06),
        queue=1 if maybe(0.1) else 0,
        by_args=maybe(0.5),
        manifest_status=rng.choice((403, 503)),
        restart_seconds=rng.choice((0.0, 1.0, 4.0)),
        restart_by="trigger" if maybe(0.2) else "job",
        # New draws come last, so that older seeds keep their plans.
        damage=damage() if maybe(0.3) else None,
        denied_at=rng.randrange(JOB_CALLS) if maybe(0.2) else None,
        denied_seconds=rng.choice((0.5, 2.0)),
    )
