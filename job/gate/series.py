"""Checks of a series over time: a target or channel that stops, spend without exposure.

Checks of the end of a series look at all rows first and then at the rows up to today. So a row
with a mistyped year does not hide a fault before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.config import Frequency
from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, passed
from job.gate.wording import date_list, quantity

_MIN_REPEATED_TAIL = 4  # equal values at the end of a target that show a stopped feed
_MAX_REPEAT_SHARE = 0.02  # share of equal neighbours above which repeated values are usual
_MAX_RARE_ZERO_SHARE = 0.05  # share of zeros above which zeros are usual
_MIN_ACTIVE_PERIODS = 12  # periods that a channel must run before its silence is reported
_MIN_MISMATCH_RUN = 3  # consecutive periods with one of spend and exposure: a broken feed


def target_end(data: Data) -> Iterator[Finding]:
    """The target has values up to the end; the model would read late data as a collapse."""
    for dates in (data.dates, data.past_dates):
        values = data.values(data.target)[: len(dates)]
        zeros = np.nan_to_num(values) == 0
        tail = _tail_length(zeros)
        what = "missing or zero"
        if not tail or tail == len(values) or _has_run(zeros[: len(values) - tail], tail):
            tail, what = _repeated_tail(values), "the same"
        if tail:
            last_dates = tuple(dates[-tail:])
            yield Finding(
                name="target_end",
                outcome=Outcome.BLOCK,
                figure=tail,
                threshold=0 if what != "the same" else _MIN_REPEATED_TAIL - 1,
                columns=(data.target,),
                dates=last_dates,
                sentence=f"`{data.target}` is {what} in the last {quantity(tail, data.period)} "
                f"({date_list(last_dates)}); load the missing values, or set `date.end` to an "
                "earlier date",
            )
            return


def _repeated_tail(values: NDArray[Any]) -> int:
    """Return the number of equal values at the end of a series that rarely repeats a value."""
    same = np.diff(values) == 0
    tail = _tail_length(same) + 1
    if tail < _MIN_REPEATED_TAIL or tail >= len(values):
        return 0
    return 0 if np.mean(same[: len(values) - tail]) > _MAX_REPEAT_SHARE else tail


def target_zero(data: Data) -> Iterator[Finding]:
    """The target has no rare zeros before its end."""
    values = data.values(data.target)[: len(data.past_dates)]
    values = values[: len(values) - _tail_length(np.nan_to_num(values) == 0)]
    # `gaps` and `missing_values` report these
    filled = {*data.evidence.filled}
    filled |= {n.period for n in data.evidence.notices if n.column == data.target and n.missing}
    zeros = np.array([v == 0 and d not in filled for d, v in zip(data.dates, values, strict=False)])
    # in daily data one or two closed days are usual
    shortest = 3 if data.config.date.frequency is Frequency.DAY else 1
    positions = np.flatnonzero(zeros)
    is_rare = 0 < len(positions) <= _MAX_RARE_ZERO_SHARE * len(values)
    if not is_rare or not _has_run(zeros, shortest):
        return
    dates = tuple(data.dates[i] for i in positions)
    yield Finding(
        name="target_zero",
        outcome=Outcome.WARN,
        figure=len(positions),
        threshold=0,
        columns=(data.target,),
        dates=dates,
        sentence=f"`{data.target}` is zero only in {quantity(len(positions), data.period)} "
        f"({date_list(dates)}); check whether it was loaded",
    )


def channel_stopped(data: Data) -> Iterator[Finding]:
    """No channel goes silent at the end after it ran regularly."""
    for column in data.media:
        silent = data.values(column) == 0
        if silent[data.in_window].all():
            continue  # `constant` reports it
        for dates in (data.dates, data.past_dates):
            finding = _stopped(data, column, dates)
            if finding is not None:
                yield finding
                break


def _stopped(data: Data, column: str, dates: list[date]) -> Finding | None:
    """Return a finding if the channel's silence at the end is unusually long for it."""
    silent = data.values(column)[: len(dates)] == 0
    tail = _tail_length(silent)
    before = silent[: len(silent) - tail]
    if tail < data.gate.max_zeros_at_end or np.count_nonzero(~before) < _MIN_ACTIVE_PERIODS:
        return None
    pause = _longest_run(before)
    always = np.mean(before) < _MAX_RARE_ZERO_SHARE and pause < tail
    pauses_often = pause and _run_count(before) >= _MIN_ACTIVE_PERIODS / 2
    if not always and not (pauses_often and tail > 3 * pause):
        return None
    last_dates = tuple(dates[-tail:])
    former = (
        "it ran nearly always before"
        if always
        else f"its longest pause before was {quantity(pause, data.period)}"
    )
    return Finding(
        name="channel_stopped",
        outcome=Outcome.WARN,
        figure=tail,
        threshold=data.gate.max_zeros_at_end - 1 if always else 3 * pause,
        columns=(column,),
        dates=last_dates,
        sentence=f"`{column}` is zero in the last {quantity(tail, data.period)} (since "
        f"{last_dates[0]}), but {former}; check whether its feed stopped",
    )


def exposure(data: Data) -> Iterator[Finding]:
    """Each channel has spend and exposure in the same periods."""
    worst, found = 0.0, False
    for channel in data.config.channels:
        if not channel.exposure or channel.exposure == channel.spend:
            continue
        spend, exposure = data.values(channel.spend), data.values(channel.exposure)
        if not (_varies(spend) and _varies(exposure)):
            continue  # `constant` or `missing_values` reports it
        active = max(int(np.count_nonzero((spend != 0) | (exposure != 0))), 1)
        for check, given, lacking, names in (
            ("spend_without_exposure", spend, exposure, (channel.spend, channel.exposure)),
            ("exposure_without_spend", exposure, spend, (channel.exposure, channel.spend)),
        ):
            mismatch = (given > 0) & (lacking == 0)
            number = int(np.count_nonzero(mismatch))
            share, max_share = number / active, data.gate.max_mismatch_share
            worst = max(worst, share)
            run = _longest_run(mismatch & (given >= 0.25 * np.median(given[given > 0])))
            if share > max_share or run >= _MIN_MISMATCH_RUN:
                found = True
                dates = tuple(d for d, marked in zip(data.dates, mismatch, strict=True) if marked)
                yield Finding(
                    name=check,
                    outcome=Outcome.WARN,
                    figure=round(share, 4) if share > max_share else run,
                    threshold=max_share if share > max_share else _MIN_MISMATCH_RUN - 1,
                    columns=(channel.spend, channel.exposure),
                    dates=dates,
                    sentence=f"channel `{channel.name}`: `{names[0]}` has a value but `{names[1]}` "
                    f"is zero in {number} of {quantity(active, data.period)} ({date_list(dates)})"
                    + ("" if share > max_share else f", {run} of them in a row")
                    + f"; check whether `{names[1]}` was loaded",
                )
    if not found:
        yield passed(
            "exposure",
            "the largest share of periods with either spend or exposure, but not both",
            figure=worst,
            threshold=data.gate.max_mismatch_share,
        )


def _varies(values: NDArray[Any]) -> bool:
    """Return whether some value is positive and not all values are the same."""
    present = values[~np.isnan(values)]
    return bool((present > 0).any() and np.ptp(present) > 0)


def _tail_length(marks: NDArray[Any]) -> int:
    """Return how many values at the end are marked, without a gap."""
    unmarked = np.flatnonzero(~marks)
    return len(marks) - (int(unmarked[-1]) + 1 if unmarked.size else 0)


def _run_edges(marks: NDArray[Any]) -> NDArray[Any]:
    """Return start and end positions of the runs of marked values, in turns."""
    return np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(int), [0]])))


def _longest_run(marks: NDArray[Any]) -> int:
    edges = _run_edges(marks)
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _run_count(marks: NDArray[Any]) -> int:
    return len(_run_edges(marks)) // 2


def _has_run(marks: NDArray[Any], length: int) -> bool:
    """Return whether at least `length` consecutive values are marked."""
    return _longest_run(marks) >= length


CHECKS = (target_end, target_zero, channel_stopped, exposure)
