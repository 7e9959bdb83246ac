"""Checks of the events that `annotations` brings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, days, names
from job.sources.events import HAPPENS, happens, last_day


def events_outside(data: Data) -> Iterator[Finding]:
    """Every event touches a period of the data."""
    if data.annotations is None:
        return
    frequency = data.config.date.frequency
    first, last = data.dates[0], last_day(data.dates[-1], frequency)
    outside = [e for e in data.annotations.events if not any(happens(e, data.dates, frequency))]
    for name in dict.fromkeys(event.name for event in outside):
        these = [event for event in outside if event.name == name]
        yield Finding(
            name="events_outside",
            outcome=Outcome.WARN,
            figure=len(these),
            threshold=0,
            columns=(name,),
            dates=tuple(event.first for event in these),
            sentence=f"the event `{name}` of {days(event.first for event in these)} lies outside "
            f"the data ({first} to {last}) and has no effect there",
        )


def no_events(data: Data) -> Iterator[Finding]:
    """The file of events has some for this market."""
    if data.annotations is not None and not data.annotations.events:
        yield Finding(
            name="no_events",
            outcome=Outcome.WARN,
            figure=0,
            threshold=1,
            sentence=f"`{data.annotations.path}` has no event for market {data.config.market}; "
            f"it has some for {names(data.annotations.other_markets)}",
        )


def same_events(data: Data) -> Iterator[Finding]:
    """No two events touch the same periods, for their effects could not be told apart."""
    if data.annotations is None:
        return
    marks = {name: data.frame[name] == HAPPENS for name in data.annotations.names}
    for one, other in combinations(marks, 2):
        if marks[one].any() and not marks[one].all() and marks[one].equals(marks[other]):
            yield Finding(
                name="same_events",
                outcome=Outcome.WARN,
                columns=(one, other),
                dates=tuple(data.frame.index[marks[one]]),
                sentence=f"the events `{one}` and `{other}` happen in the same {data.period}s "
                f"({days(data.frame.index[marks[one]])}), so their effects cannot be told apart; "
                "give them one name",
            )


CHECKS = (events_outside, no_events, same_events)
