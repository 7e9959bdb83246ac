"""What goes wrong with calls: drawn for each call, at rates that the seed draws.

A seed has a rate for each kind of fault, so that some seeds have few faults of one kind and others
many of all. While `on` is false nothing goes wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import requests
from google.api_core import exceptions as google_errors

from tests.simulation.loop import Loop

T = TypeVar("T")
REFUSALS: dict[str, type[google_errors.GoogleAPICallError]] = {
    "429": google_errors.TooManyRequests,
    "500": google_errors.InternalServerError,
    "503": google_errors.ServiceUnavailable,
    "403": google_errors.Forbidden,
}
KINDS = (
    "429",
    "500",
    "503",
    "lost before",
    "lost after",
    "kill before",
    "kill after",
    "slow",
    "changed",
)
KILLS = ("kill before", "kill after")


@dataclass
class Faults:
    """The rates of a seed, and the number of faults of each kind so far.

    Attributes:
        rates: the share of calls with a kind of fault.
        denied: services that answer 403, and until when.
        down: services that do not answer, and until when.
    """

    loop: Loop
    rates: dict[str, float] = field(default_factory=dict)
    denied: dict[str, float] = field(default_factory=dict)
    down: dict[str, float] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    on: bool = True

    def draw_rates(self) -> None:
        """Draw the rate of each kind: none for most kinds, so that seeds differ."""
        random = self.loop.random
        for kind in KINDS:
            most = 0.01 if kind in KILLS else 0.04
            self.rates[kind] = random.random() * most if random.random() < 0.4 else 0.0

    def count(self, kind: str) -> None:
        """Record a fault."""
        self.counts[kind] += 1
        self.loop.note("FAULT", kind)

    def call(
        self, service: str, verb: str, path: str, effect: Callable[[], T], *, damages: bool = False
    ) -> T:
        """Make one call of a service: a way there, its effect and a way back."""
        loop = self.loop
        kind = self._draw(service)
        if kind == "changed" and not damages:
            kind = None
        if kind:
            self.count(kind)
        loop.pause(
            loop.random.uniform(0.001, 0.02) if kind != "slow" else loop.random.uniform(1, 20)
        )
        self._before(kind, verb, path)
        try:
            result = effect()
        except Exception as error:
            loop.note(verb, path, type(error).__name__)
            loop.pause(loop.random.uniform(0.001, 0.01))
            raise
        loop.note(verb, path)
        if kind == "kill after":
            loop.kill(loop.process)
        loop.pause(loop.random.uniform(0.001, 0.02))
        if kind == "lost after":
            raise requests.ConnectionError("the answer is lost")
        if kind == "changed" and verb == "read":
            raise self._changed(verb, path)
        return result

    def _before(self, kind: str | None, verb: str, path: str) -> None:
        if kind in REFUSALS:
            raise REFUSALS[kind](f"{kind} for {path}")  # type: ignore[no-untyped-call]
        if kind == "lost before":
            raise requests.ConnectionError("no answer")
        if kind == "kill before":
            self.loop.kill(self.loop.process)
        if kind == "changed" and verb != "read":
            raise self._changed(verb, path)

    @staticmethod
    def _changed(verb: str, path: str) -> Exception:
        from tests.simulation.bucket import changed_on_the_way

        return changed_on_the_way(verb, path)

    def _draw(self, service: str) -> str | None:
        if not self.on:
            return None
        now = self.loop.now
        if now < self.denied.get(service, 0.0):
            return "403"
        if now < self.down.get(service, 0.0):
            return "lost before"
        at = self.loop.random.random()
        for kind, rate in self.rates.items():
            if at < rate:
                return kind
            at -= rate
        return None
