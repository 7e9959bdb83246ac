"""What goes wrong with calls: drawn for each call, at rates that the seed draws.

A seed has a rate for each kind of fault, so that some seeds have few faults of one kind and others
many of all. While `on` is false nothing goes wrong.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import requests
from google.api_core import exceptions as google_errors

from contract.exceptions import CancelledError
from tests.simulation.loop import Loop

T = TypeVar("T")
REFUSALS: dict[str, type[google_errors.GoogleAPICallError]] = {
    "429": google_errors.TooManyRequests,
    "500": google_errors.InternalServerError,
    "503": google_errors.ServiceUnavailable,
    "403": google_errors.Forbidden,
}
GENTLE = ("429", "500", "503", "lost before", "lost after", "changed")
KINDS = {  # and the greatest share of the calls
    "429": 0.12,
    "500": 0.12,
    "503": 0.12,
    "lost before": 0.12,
    "lost after": 0.12,
    "changed": 0.12,
    "slow": 0.06,
    "kill before": 0.01,
    "kill after": 0.01,
    "never starts": 0.2,  # these are of launches
    "starts twice": 0.2,
    "vanishes": 0.2,
}
OF_CALLS = tuple(KINDS)[:9]


@dataclass
class Faults:
    """The rates of a seed, and the number of faults of each kind so far.

    Attributes:
        rates: the share of calls with a kind of fault.
        denied: services that answer 403, and until when.
        down: services that do not answer, and until when.
        deaf: services whose answers are lost, and until when.
        most_changed: how often in a row the bytes of an object may change on their way.
    """

    loop: Loop
    rates: dict[str, float] = field(default_factory=dict)
    denied: dict[str, float] = field(default_factory=dict)
    down: dict[str, float] = field(default_factory=dict)
    deaf: dict[str, float] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    changed_before: Counter[str] = field(default_factory=Counter)
    most_changed: float = math.inf
    on: bool = True

    def draw_rates(self, *, gentle: bool) -> None:
        """Draw the rate of each kind: none for most kinds, so that seeds differ.

        In a gentle seed, the retries of each call are enough.
        """
        random = self.loop.random
        self.most_changed = 2 if gentle else math.inf
        for kind, most in KINDS.items():
            rate = random.random() * most if random.random() < 0.4 else 0.0
            self.rates[kind] = rate if not gentle else min(rate, 0.03) if kind in GENTLE else 0.0

    def happens(self, kind: str) -> bool:
        """Draw whether a fault of a kind happens, and record it."""
        yes = self.on and self.loop.random.random() < self.rates.get(kind, 0.0)
        if yes:
            self.count(kind)
        return yes

    def denies(self, service: str) -> bool:
        """Return whether a service answers 403 now, and record it if it does."""
        yes = self.on and self.loop.now < self.denied.get(service, 0.0)
        if yes:
            self.count("403")
        return yes

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
        if kind == "changed" and (not damages or self.changed_before[path] >= self.most_changed):
            kind = None
        self.changed_before[path] = self.changed_before[path] + 1 if kind == "changed" else 0
        if kind:
            self.count(kind)
        try:
            there = (0.001, 0.02) if kind != "slow" else (1.0, 20.0)
            loop.pause(loop.random.uniform(*there))
        except CancelledError:  # a signal ends the call, but it may arrive all the same
            if loop.random.random() < 0.5:
                loop.note("interrupted", verb, path)
                with suppress(google_errors.GoogleAPICallError):
                    effect()
            raise
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
        if now < self.deaf.get(service, 0.0):
            return "lost after"
        at = self.loop.random.random()
        for kind in OF_CALLS:
            rate = self.rates.get(kind, 0.0)
            if at < rate:
                return kind
            at -= rate
        return None
