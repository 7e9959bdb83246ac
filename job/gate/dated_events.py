"""Checks of the dated events in the file of `annotations`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from job.gate.data import Data
from job.gate.verdict import Finding, Outcome
from job.gate.wording import date_list, name_list
from job.sources.annotations import YES, last_day, touches


def events_outside(data: Data) -> Iterator[Finding]:
    """Every dated event is within the data."""
    if data.annotations is None:
        return
    frequency = data.config.date.frequency
    first, last = data.dates[0], last_day(data.dates[-1], frequency)
    outside = [e for e in data.annotations.events if not any(touches(e, data.dates, frequency))]
    for name in dict.fromkeys(event.name for event in outside):
        starts = [event.first for event in outside if event.name == name]
        yield Finding(
            name="events_outside",
            outcome=Outcome.WARN,
            figure=len(starts),
            threshold=0,
            columns=(name,),
            dates=tuple(starts),
            sentence=f"the event `{name}` on {date_list(starts)} is outside the data "
            f"({first} to {last}) and has no effect",
        )


def no_events(data: Data) -> Iterator[Finding]:
    """The file of dated events has at least one event for this market."""
    if data.annotations is not None and not data.annotations.events:
        yield Finding(
            name="no_events",
            outcome=Outcome.WARN,
            figure=0,
            threshold=1,
            sentence=f"`{data.annotations.path}` has no event for market {data.config.market}; "
            f"it has events for {name_list(data.annotations.other_markets)}",
        )


def same_events(data: Data) -> Iterator[Finding]:
    """No two dated events are in exactly the same periods."""
    if data.annotations is None:
        return
    marks = {name: data.frame[name] == YES for name in data.annotations.names}
    for one, other in combinations(marks, 2):
        if marks[one].any() and not marks[one].all() and marks[one].equals(marks[other]):
            periods = tuple(data.frame.index[marks[one]])
            yield Finding(
                name="same_events",
                outcome=Outcome.WARN,
                columns=(one, other),
                dates=periods,
                sentence=f"the events `{one}` and `{other}` are in the same {data.period}s "
                f"({date_list(periods)}), so the model cannot separate their effects; give them "
                "one name",
            )


CHECKS = (events_outside, no_events, same_events)
