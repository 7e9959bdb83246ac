"""Checks of how a series runs: ends that stop, spend without exposure.

Ends are those of all rows, else of the rows until today: one with a mistyped year must not hide
what lies before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.config import Frequency
from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, count, days, passed

_STUCK = 4  # equal values in a row at the end of a target that else hardly repeats
_REPEATS = 0.02  # share of neighbours that may be equal in a target that moves
_RARE_ZEROS = 0.05  # share of zeros from which on zeros are a target's way
_RAN = 12  # periods that a channel must have run before its silence is odd
_BROKEN = 3  # periods with a usual value on one side and zero on the other: a feed that broke


def target_end(data: Data) -> Iterator[Finding]:
    """The target runs to the end: late facts would be fitted as a collapse."""
    for dates in (data.dates, data.known):
        values = data.values(data.target)[: len(dates)]
        there = np.nan_to_num(values)
        tail = _length_of_end(there == 0)
        what = "missing or zero"
        if not tail or tail == len(values) or _has_run(there[: len(values) - tail] == 0, tail):
            tail, what = _stuck(values), "the same"
        if tail:
            ends = tuple(dates[-tail:])
            yield Finding(
                name="target_end",
                outcome=Outcome.BLOCK,
                figure=tail,
                threshold=0 if what != "the same" else _STUCK - 1,
                columns=(data.target,),
                dates=ends,
                sentence=f"`{data.target}` is {what} in the last {count(tail, data.period)} "
                f"({days(ends)}); set `date.end` before them or load them",
            )
            return


def _stuck(values: NDArray[Any]) -> int:
    """Equal values at the end of a series that else hardly repeats itself."""
    same = np.diff(values) == 0
    tail = _length_of_end(same) + 1
    if tail < _STUCK or tail >= len(values) or np.mean(same[: len(values) - tail]) > _REPEATS:
        return 0
    return tail


def target_zero(data: Data) -> Iterator[Finding]:
    """A target that is hardly ever zero is not zero in between: was it not loaded?"""
    values = data.values(data.target)[: len(data.known)]
    values = values[: len(values) - _length_of_end(np.nan_to_num(values) == 0)]
    # told by `gaps` and `missing_values`
    filled = {*data.evidence.filled}
    filled |= {n.period for n in data.evidence.notices if n.column == data.target and n.missing}
    zeros = np.array([v == 0 and d not in filled for d, v in zip(data.dates, values, strict=False)])
    # shops close on single days
    shortest = 3 if data.config.date.frequency is Frequency.DAY else 1
    where = np.flatnonzero(zeros)
    if not 0 < len(where) <= _RARE_ZEROS * len(values) or not _has_run(zeros, shortest):
        return
    when = tuple(data.dates[i] for i in where)
    yield Finding(
        name="target_zero",
        outcome=Outcome.WARN,
        figure=len(where),
        threshold=0,
        columns=(data.target,),
        dates=when,
        sentence=f"`{data.target}` is zero in {count(len(where), data.period)} ({days(when)}) and "
        "else never; was it not loaded?",
    )


def channel_stopped(data: Data) -> Iterator[Finding]:
    """No channel that ran nearly always is silent at the end: a feed that broke?"""
    for column in data.media:
        silent = data.values(column) == 0
        if silent[data.inside].all():
            continue  # told by `constant`
        for dates in (data.dates, data.known):
            found = _stopped(data, column, dates)
            if found is not None:
                yield found
                break


def _stopped(data: Data, column: str, dates: list[date]) -> Finding | None:
    silent = data.values(column)[: len(dates)] == 0
    tail = _length_of_end(silent)
    before = silent[: len(silent) - tail]
    if tail < data.gate.max_zeros_at_end or np.count_nonzero(~before) < _RAN:
        return None
    pause = _longest_run(before)
    always = np.mean(before) < _RARE_ZEROS and pause < tail
    if not always and not (pause and _runs(before) >= _RAN / 2 and tail > 3 * pause):
        return None
    ends = tuple(dates[-tail:])
    ran = "running nearly always" if always else f"pauses of at most {pause}"
    return Finding(
        name="channel_stopped",
        outcome=Outcome.WARN,
        figure=tail,
        threshold=data.gate.max_zeros_at_end - 1 if always else 3 * pause,
        columns=(column,),
        dates=ends,
        sentence=f"`{column}` is zero in the last {count(tail, data.period)} (since {ends[0]}) "
        f"after {ran}; did its feed stop?",
    )


def exposure(data: Data) -> Iterator[Finding]:
    """Spend has exposure and exposure has spend."""
    worst, found = 0.0, False
    for channel in data.config.channels:
        if not channel.exposure or channel.exposure == channel.spend:
            continue
        spend, shown = data.values(channel.spend), data.values(channel.exposure)
        if not (_varies(spend) and _varies(shown)):
            continue  # told by `constant` or `missing_values`
        active = max(int(np.count_nonzero((spend != 0) | (shown != 0))), 1)
        for check, has, lacks, names in (
            ("spend_without_exposure", spend, shown, (channel.spend, channel.exposure)),
            ("exposure_without_spend", shown, spend, (channel.exposure, channel.spend)),
        ):
            where = (has > 0) & (lacks == 0)
            number = int(np.count_nonzero(where))
            worst = max(worst, number / active)
            share, most = number / active, data.gate.max_mismatch_share
            run = _longest_run(where & (has >= 0.25 * np.median(has[has > 0])))
            if share > most or run >= _BROKEN:
                found = True
                when = tuple(d for d, odd in zip(data.dates, where, strict=True) if odd)
                yield Finding(
                    name=check,
                    outcome=Outcome.WARN,
                    figure=round(share, 4) if share > most else run,
                    threshold=most if share > most else _BROKEN - 1,
                    columns=(channel.spend, channel.exposure),
                    dates=when,
                    sentence=f"channel `{channel.name}`: `{names[0]}` has a value but `{names[1]}` "
                    f"is zero in {number} of {count(active, data.period)} ({days(when)})"
                    + ("" if share > most else f", {run} in a row"),
                )
    if not found:
        yield passed(
            "exposure",
            "the largest share of periods with only one of spend and exposure",
            figure=worst,
            threshold=data.gate.max_mismatch_share,
        )


def _varies(values: NDArray[Any]) -> bool:
    """Whether there are positive values and not all are the same."""
    there = values[~np.isnan(values)]
    return bool((there > 0).any() and np.ptp(there) > 0)


def _length_of_end(marks: NDArray[Any]) -> int:
    """How many of the last values are marked."""
    other = np.flatnonzero(~marks)
    return len(marks) - (int(other[-1]) + 1 if other.size else 0)


def _edges(marks: NDArray[Any]) -> NDArray[Any]:
    return np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(int), [0]])))


def _longest_run(marks: NDArray[Any]) -> int:
    edges = _edges(marks)
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _runs(marks: NDArray[Any]) -> int:
    return len(_edges(marks)) // 2


def _has_run(marks: NDArray[Any], length: int) -> bool:
    """Whether `length` marked values in a row occur."""
    return _longest_run(marks) >= length


CHECKS = (target_end, target_zero, channel_stopped, exposure)
