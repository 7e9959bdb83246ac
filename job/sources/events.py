"""Dated events of one market, and the config that has them as factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self

from contract.base import canonical_json, sha256_hex
from contract.config import Config, Frequency, safe_name

HAPPENS, HAPPENS_NOT = "yes", "no"  # in this order R's encoding makes the column of `yes`


@dataclass(frozen=True, kw_only=True, order=True)
class Event:
    """Something that happened from `first` to `last`, both included."""

    name: str
    first: date
    last: date

    def days(self) -> str:
        """`2024-11-29` or `2024-11-25 to 2024-11-29`."""
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """The events of a market in the file at `path`.

    Attributes:
        path: where the file lies, as the config says.
        sha256: of the whole file.
        market: whose events these are.
        events: in order of name and date.
        other_markets: markets that the file has other events for.
    """

    path: str
    sha256: str
    market: str
    events: tuple[Event, ...]
    other_markets: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of events, each once: every one is a factor."""
        return list(dict.fromkeys(event.name for event in self.events))

    @property
    def digest(self) -> str:
        """Equal for files that say the same of this market."""
        return sha256_hex(canonical_json(self.to_json()["events"]))

    def to_json(self) -> dict[str, Any]:
        """Plain values, as snapshot and manifest keep them."""
        return {
            "path": self.path,
            "sha256": self.sha256,
            "market": self.market,
            "events": [
                {"name": e.name, "from": e.first.isoformat(), "to": e.last.isoformat()}
                for e in self.events
            ],
            "other_markets": list(self.other_markets),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read what `to_json` made."""
        return cls(
            path=document["path"],
            sha256=document["sha256"],
            market=document["market"],
            events=tuple(
                Event(
                    name=event["name"],
                    first=date.fromisoformat(event["from"]),
                    last=date.fromisoformat(event["to"]),
                )
                for event in document["events"]
            ),
            other_markets=tuple(document["other_markets"]),
        )


def with_events(config: Config, annotations: Annotations | None) -> Config:
    """The config with every event's name among its factors."""
    if annotations is None:
        return config
    return config.model_copy(update={"factors": [*config.factors, *annotations.names]})


def column_of(name: str) -> str:
    """Name of an event's column in the snapshot."""
    return safe_name(name)


def last_day(period: date, frequency: Frequency) -> date:
    """The last day of the period that begins on a day."""
    if frequency is Frequency.DAY:
        return period
    if frequency is Frequency.WEEK:
        return period + timedelta(days=6)
    return (period.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def happens(event: Event, periods: Sequence[date], frequency: Frequency) -> list[bool]:
    """For each period, whether at least one of its days is one of the event's."""
    return [
        event.first <= last_day(period, frequency) and period <= event.last for period in periods
    ]
