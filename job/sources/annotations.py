"""Annotations: the dated events of one market, which become factors of its model."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from contract.base import canonical_json, sha256_hex
from contract.config import Config, Frequency, safe_name

YES, NO = "yes", "no"  # R encodes the later of the two levels, so the model's column is `yes`


@dataclass(frozen=True, kw_only=True, order=True)
class DatedEvent:
    """An event from `first` to `last`, both included."""

    name: str
    first: date
    last: date

    def days(self) -> str:
        """Return the dates as text: `2024-11-29` or `2024-11-25 to 2024-11-29`."""
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """The dated events of one market in the file at `path`.

    Attributes:
        path: the file's path, as in the config.
        sha256: hash of the whole file.
        market: the market of the events.
        events: the events, sorted by name and date.
        other_markets: other markets that the file has events for.
    """

    path: str
    sha256: str
    market: str
    events: tuple[DatedEvent, ...]
    other_markets: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Return the distinct names of the events; each name becomes a factor."""
        return list(dict.fromkeys(event.name for event in self.events))

    @property
    def digest(self) -> str:
        """Return a hash that is equal for files with the same events for this market."""
        return sha256_hex(canonical_json(self.to_json()["events"]))

    def to_json(self) -> dict[str, Any]:
        """Return JSON values, as snapshot and manifest store them."""
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
        """Create annotations from the values of `to_json`."""
        return cls(
            path=document["path"],
            sha256=document["sha256"],
            market=document["market"],
            events=tuple(
                DatedEvent(
                    name=event["name"],
                    first=date.fromisoformat(event["from"]),
                    last=date.fromisoformat(event["to"]),
                )
                for event in document["events"]
            ),
            other_markets=tuple(document["other_markets"]),
        )


def with_annotations(config: Config, annotations: Annotations | None) -> Config:
    """Return the config with the name of each event added to its factors."""
    if annotations is None:
        return config
    return config.model_copy(update={"factors": [*config.factors, *annotations.names]})


def column_name(name: str) -> str:
    """Return the name of an event's column in the snapshot."""
    return safe_name(name)


def last_day(period: date, frequency: Frequency) -> date:
    """Return the last day of the period that starts on the day `period`."""
    if frequency is Frequency.DAY:
        return period
    if frequency is Frequency.WEEK:
        return date.fromordinal(min(period.toordinal() + 6, date.max.toordinal()))
    return period.replace(day=monthrange(period.year, period.month)[1])


def touches(event: DatedEvent, periods: Sequence[date], frequency: Frequency) -> list[bool]:
    """Return for each period whether it contains at least one day of the event."""
    return [
        event.first <= last_day(period, frequency) and period <= event.last for period in periods
    ]
