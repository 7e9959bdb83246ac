"""Each service denies access (403) for five minutes, in turn, at each stage of a run.

The control plane is the real one, on the simulation's clock. Each run ends once, with one event: it
is trained, or its error is one sentence that names what was denied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from contract import retries
from tests.simulation import seam
from tests.simulation.invariants import TRAINED, at_end
from tests.simulation.loop import Loop
from tests.simulation.play import simulation
from tests.simulation.world import Message, World, config_of

DENIED_SECONDS = 300.0
DELIVERIES = 10  # of a message until it is a dead letter
STAGES: dict[str, Callable[[World], bool]] = {
    "published": lambda world: True,
    "accepted": lambda world: bool(world.runs()),
    "launched": lambda world: bool(world.run.executions),
    "training": lambda world: _has(world, "/work/trials/"),
    "merging": lambda world: _has(world, "/work/manifest-"),
    "ended": lambda world: _has(world, "/events/"),
}
# each service at the stages at which it is called
CASES = [
    *(("storage", stage) for stage in STAGES),
    ("run", "published"), ("run", "accepted"), ("bigquery", "launched"), ("pubsub", "merging"),
    ("pubsub", "ended"), ("secrets", "accepted"), ("secrets", "launched"),
]  # fmt: skip
pytestmark = pytest.mark.no_cover  # measuring would take most of the time


@pytest.fixture(scope="module", autouse=True)
def simulated() -> Iterator[None]:
    with simulation():
        yield


def play(service: str, stage: str, seconds: float) -> tuple[World, Message]:
    """Play one run while a service denies access from a stage on, until all has ended."""
    loop = Loop(11, keep=True)
    messages: list[Message] = []
    over: list[bool] = []
    with seam.playing(loop):
        world = World(loop)
        world.pace, world.data = 1.0, {"DE": 0}
        world.run.skews = (0.0,)

        def deny() -> None:
            while not STAGES[stage](world):
                loop.pause(0.02)
            world.faults.denied[service] = loop.now + seconds

        def tell() -> None:
            world.schedule()
            config = config_of("DE", 0, trials=3, tasks=2)
            messages.append(world.publish({"config": config}, 0, ["DE"]))
            while loop.now < 3 * 3600 and not world.is_settled():
                loop.pause(30.0)
            loop.problems += at_end(world, final=True)
            over.append(True)

        world.by("grants", deny)
        world.by("people", tell)
        loop.run(until=lambda: bool(over))
        assert loop.problems == []
        assert world.faults.counts["403"]
    return world, messages[0]


def _has(world: World, part: str) -> bool:
    return any(part in path for path in world.server.objects)


@pytest.mark.parametrize(("service", "stage"), CASES)
def test_five_minutes_of_403_lose_and_double_no_run(service: str, stage: str) -> None:
    world, message = play(service, stage, DENIED_SECONDS)
    [(run_id, status)] = world.runs().items()
    assert status is not None
    assert [result.run_id for result in message.results] == [run_id]
    assert len({event["id"] for event in world.events}) == 1
    assert len(world.run.executions) == 1
    refused = [line for line in world.loop.lines or [] if " NACK " in line]
    assert len(refused) < DELIVERIES
    if service == "secrets":  # Cloud Run starts no container
        assert status["state"] == "FAILED"
        assert "Permission denied on secret mmm-snowflake" in status["error"]["message"]
    else:
        assert status["state"] in TRAINED


@pytest.mark.parametrize(
    ("service", "stage", "message"),
    [
        ("run", "published", "Cloud Run refuses `projects/p/locations/l/jobs/j`"),
        ("bigquery", "launched", "the job's account needs roles/bigquery.dataViewer"),
    ],
)
def test_403_for_good_ends_the_run_with_what_was_denied(
    service: str, stage: str, message: str
) -> None:
    world, _ = play(service, stage, 2 * retries.GRANT.total_seconds())
    [status] = world.runs().values()
    assert status is not None
    assert (status["state"], status["error"]["code"]) == ("FAILED", 69)
    assert message in status["error"]["message"]


def test_403_of_the_bucket_for_longer_only_delays_the_run() -> None:
    """Nothing can be stored, so the message waits."""
    world, _ = play("storage", "published", 2 * retries.GRANT.total_seconds())
    [status] = world.runs().values()
    assert status is not None
    assert status["state"] in TRAINED
