"""A deployment: bucket, topics, Cloud Run, the function, its scheduler, and the people who use it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from contract.exceptions import MMMError
from contract.stores.gcs import GCSStore
from contract.topics.pubsub import PubSubTopic
from mmm.cancel import cancel
from tests.simulation import job
from tests.simulation.bucket import Bucket, Server, Stored
from tests.simulation.cloud_run import JOB, Executions, Jobs, Service, Tasks
from tests.simulation.faults import Faults
from tests.simulation.invariants import ENDS, Watch
from tests.simulation.loop import Loop, Process
from trigger.accept import MessageResult, accept
from trigger.cloud_run import CloudRunLauncher
from trigger.delivery import Delivery
from trigger.reconcile import reconcile

ACK_SECONDS = 60.0
PASS_SECONDS = 300.0
MAX_AGE = timedelta(hours=3)
CONFIG = {
    "version": 1,
    "source": {"type": "bigquery", "table": "p.d.t"},
    "date": {"column": "DATE"},
    "target": {"column": "REVENUE"},
    "channels": [{"name": "tv", "spend": "TV_COST"}],
    "posterior": {"enabled": False},
}


class Message:
    """A published message and the results of its deliveries."""

    def __init__(self, delivery: Delivery, variant: int, markets: list[str]) -> None:
        self.delivery, self.variant, self.markets = delivery, variant, markets
        self.acknowledged = False
        self.results: list[MessageResult] = []


class World:
    """All services and processes of one seed."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.faults = Faults(loop)
        self.watch = Watch(loop)
        self.server = Server(loop, self.faults, on_write=self._written)
        self.run = Service(loop, self.faults, lambda process: job.attempt(process, self))
        self.events: list[dict[str, Any]] = []
        self.messages: list[Message] = []
        self.data: dict[str, int] = {}
        self.damaged: set[str] = set()
        self.outage: str | None = None
        self.pace = loop.random.choice((0.05, 0.3, 1.0))
        self._numbers = 0

    def store(self, denied_seconds: float = 0.0) -> GCSStore:
        """Return the bucket as a process sees it."""
        return GCSStore(Bucket(self.server), denied_seconds=denied_seconds)

    def topic(self) -> PubSubTopic:
        """Return the topic of events as a process sees it."""
        return PubSubTopic(SimpleNamespace(publish=self._publish), job.TOPIC)

    def launcher(self) -> CloudRunLauncher:
        """Return Cloud Run as a process sees it."""
        return CloudRunLauncher(
            JOB, jobs=Jobs(self.run), executions=Executions(self.run), tasks=Tasks(self.run)
        )

    def _publish(self, topic: str, data: bytes, *, retry: Any, timeout: float, **_: str) -> Any:
        def send() -> str:
            return self.faults.call("pubsub", "publish", "", lambda: self._event(data))

        return SimpleNamespace(result=lambda timeout: retry(send)())

    def _event(self, data: bytes) -> str:
        self.events.append(json.loads(data))
        return str(len(self.events))

    def _written(self, path: str, old: Stored | None, new: Stored | None) -> None:
        self.watch.written(path, old, new, self.server.objects)

    @contextmanager
    def at_work(self, market: str, run_id: str) -> Iterator[None]:
        """Record that R works on a market."""
        with self.watch.at_work(market, run_id, self.loop.process):
            yield

    def begin_outage(self) -> float:
        """Let the bucket not answer while R works; return how long R works from now on."""
        kind, self.outage = self.outage, None
        seconds = self.loop.random.uniform(70, 150)
        until = {"down": self.faults.down, "deaf": self.faults.deaf}[str(kind)]
        until["storage"] = self.loop.now + seconds
        self.faults.count(str(kind))
        return seconds + 70

    # the function

    def publish(
        self,
        content: dict[str, Any],
        variant: int,
        markets: list[str],
        *,
        key: str | None = None,
        deliveries: int = 1,
    ) -> Message:
        """Publish a request; it is delivered until it is acknowledged, and perhaps again."""
        self._numbers += 1
        number = str(self._numbers)
        delivery = Delivery(
            message_id=number,
            publish_time=self.loop.time().isoformat(),
            topic="requests",
            data=json.dumps(content).encode(),
            attributes={"idempotency_key": key} if key else {},
        )
        message = Message(delivery, variant, markets)
        self.messages.append(message)
        for _ in range(deliveries):
            self.loop.at(
                self.loop.random.uniform(0, 30) ** 2 / 30, lambda: self._deliver(message, 10.0)
            )
        return message

    def _deliver(self, message: Message, backoff: float) -> None:
        process = Process(f"function-{message.delivery.message_id}", skew=self.run.skew())
        answered: list[bool] = []

        def work() -> None:
            try:
                results = accept(
                    message.delivery, store=self.store(), publisher=self.topic(),
                    launcher=self.launcher(), max_age=MAX_AGE,
                )  # fmt: skip
            except MMMError as error:
                self.loop.note("NACK", error)
                return
            answered.append(True)
            message.acknowledged = True
            message.results = results

        def after() -> None:
            if not message.acknowledged and not answered:
                answered.append(False)
                self.loop.at(backoff, lambda: self._deliver(message, min(backoff * 2, 600.0)))

        process.on_exit = after
        self.loop.at(ACK_SECONDS, after)  # Pub/Sub waits no longer, but the function goes on
        self.loop.start(process, work)

    # the scheduler and people

    def schedule(self) -> None:
        """Start a pass of `reconcile`, and all later ones."""
        process = Process("reconcile", skew=self.run.skew())

        def work() -> None:
            try:
                report = reconcile(self.store(), self.topic(), self.launcher(), max_age=MAX_AGE)
            except MMMError as error:
                self.loop.note("PASS", error)
                return
            for problem in report.problems:
                self.loop.note("PROBLEM", problem)
            self.loop.note("PASS", sorted(report.results.items()))

        self.loop.start(process, work)
        self.loop.at(PASS_SECONDS, self.schedule)

    def cancel(self, run_id: str) -> None:
        """Let a person cancel a run."""
        self.watch.cancelled.add(run_id)

        def work() -> None:
            try:
                cancel(run_id, self.store(), self.topic(), self.launcher())
            except MMMError as error:
                self.loop.note("CANCEL", error)

        self.loop.start(Process("cancel"), work)

    def by(self, name: str, work: Callable[[], None]) -> None:
        """Let somebody do something."""
        self.loop.start(Process(name), work)

    # what is there

    def runs(self) -> dict[str, dict[str, Any] | None]:
        """Return the status of every run that has a request or a status."""
        found: dict[str, dict[str, Any] | None] = {}
        for path, stored in self.server.objects.items():
            folder, _, rest = path.partition("/")
            run_id, _, name = rest.partition("/")
            if folder == "runs" and name == "status.json":
                found[run_id] = json.loads(stored.data)
            elif folder == "runs" and name == "request.json":
                found.setdefault(run_id, None)
        return found

    def is_settled(self) -> bool:
        """Return whether every message is answered, and every run has ended and has its event."""
        runs = self.runs()
        return (
            all(message.acknowledged for message in self.messages)
            and all(status and status["state"] in ENDS for status in runs.values())
            and not self.run.alive
            and {event["subject"] for event in self.events} >= runs.keys()
        )


def config_of(market: str, variant: int, *, trials: int, tasks: int) -> dict[str, Any]:
    """Return a config; another variant is another config."""
    training = {"trials": trials, "tasks": tasks, "seed": 100 + variant}
    return {**CONFIG, "market": market, "revision": "r1", "training": training}


def put_config(world: World, name: str, config: dict[str, Any]) -> None:
    """Put a config into the bucket, as a person does."""
    world.server.replace(f"configs/{name}", json.dumps(config).encode())
