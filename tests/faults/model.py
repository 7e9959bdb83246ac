"""The launch protocol's surroundings, small enough to be searched exhaustively.

The code under test is the real one, with a real folder as the bucket. Cloud Run is a list. At every
call of store and launcher, a process can be stopped, killed before or after the call took effect, or
lose the answer.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from contract.stores import Store
from trigger.delivery import Delivery
from trigger.execution import Execution, Launch, MaybeStartedError, NotStartedError, Phase

CONFIG = {
    "version": 1,
    "market": "DE",
    "revision": "r1",
    "source": {"type": "file", "path": "data.csv"},
    "date": {"column": "DATE"},
    "target": {"column": "REVENUE"},
    "channels": [{"name": "tv", "spend": "TV_COST"}],
    "posterior": {"enabled": False},
}
WATCHED = ("read", "write", "list", "launch", "find", "get")


class KilledError(BaseException):
    """The process was killed here."""


@dataclass
class Service:
    """Cloud Run as a list of executions; `answers` are its answers to the next launches."""

    executions: list[Execution] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    searches: int = 0

    def launch(self, launch: Launch) -> str:
        """Start an execution unless the next answer refuses; `lost` starts it and loses the answer."""
        answer = self.answers.pop(0) if self.answers else "ok"
        if answer == "busy":
            raise NotStartedError("busy")
        if answer == "unreachable":
            raise MaybeStartedError("unreachable")
        name = f"job-{len(self.executions)}"
        self.executions.append(
            Execution(
                name=name, phase=Phase.RUNNING, env=launch.env(), created_at=datetime.now(UTC)
            )
        )
        if answer == "lost":
            raise MaybeStartedError("lost")
        return name

    def find(self, run_id: str) -> list[Execution]:
        self.searches += 1
        return [e for e in self.executions if e.run_id == run_id]

    def get(self, name: str) -> Execution | None:
        return next((e for e in self.executions if e.name == name), None)

    def cancel(self, name: str) -> None:
        return


class Watched:
    """A wrapper that calls `before` and `after` around the watched methods of any object."""

    def __init__(
        self, inner: Any, before: Callable[[], None], after: Callable[[], None] = lambda: None
    ) -> None:
        self._inner, self._before, self._after = inner, before, after

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._inner, name)
        if name not in WATCHED:
            return member

        def call(*args: Any, **kwargs: Any) -> Any:
            self._before()
            result = member(*args, **kwargs)
            if isinstance(result, Iterator):
                result = list(result)
            self._after()
            return result

        return call


def killing(store: Store, service: Service, at: int, *, after: bool) -> tuple[Any, Any]:
    """Return store and launcher of a process that is killed before or after its call `at`."""
    made = [0]

    def before() -> None:
        if made[0] == at and not after:
            raise KilledError
        made[0] += 1

    def then() -> None:
        if made[0] == at + 1 and after:
            raise KilledError

    return Watched(store, before, then), Watched(service, before, then)


class Schedule:
    """Let threads take one step at a time, in a given order."""

    def __init__(self, turns: Sequence[int], actors: int) -> None:
        self._turns = list(turns)
        self._alive = set(range(actors))
        self._condition = threading.Condition()

    def step(self, actor: int) -> None:
        """Wait for the actor's turn and take it."""
        with self._condition:
            while not self._is_turn_of(actor):
                self._condition.wait(5)
            if self._turns:
                self._turns.pop(0)
            self._condition.notify_all()

    def leave(self, actor: int) -> None:
        """Skip the remaining turns of an actor that has ended."""
        with self._condition:
            self._alive.discard(actor)
            self._condition.notify_all()

    def _is_turn_of(self, actor: int) -> bool:
        while self._turns and self._turns[0] not in self._alive:
            self._turns.pop(0)
        return not self._turns or self._turns[0] == actor


class Topic:
    """A topic that keeps all events in memory."""

    topic = "memory"

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        self.events.append(json.loads(data))
        return str(len(self.events))


def message(number: int = 1, *, key: str | None = None) -> Delivery:
    """Return a message; each number is a different one, published an hour before the next."""
    return Delivery(
        message_id=str(number),
        publish_time=(datetime.now(UTC) - timedelta(hours=10 - number)).isoformat(),
        topic="t",
        data=json.dumps({"config": CONFIG}).encode(),
        attributes={"idempotency_key": key} if key else {},
    )
