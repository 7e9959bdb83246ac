"""Checks of spends that are no money: rates, averages and figures far below all other spends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, passed
from job.gate.wording import quantity

_MIN_VALUES = 12  # fewer values say little about a spend
_FAR_BELOW = 50  # times that other figures are larger than a rate or an average
_RATE_SPREAD = 0.5  # standard deviation by mean below which figures from 0 to 100 look like a rate
_AVERAGE_SPREAD = 0.2  # the same, below which figures look like an average
_OTHER_SPREAD = 3  # times that the volume varies more than its average
_REMEDY = "a spend is an amount of money. Use the column of the money, or remove the channel"


def rate_as_spend(data: Data) -> Iterator[Finding]:
    """No spend is a rate or an index, which stays between 0 and 1 or 0 and 100."""
    for column in data.roles["spend"]:
        bound = _bound(data, column)
        if bound is None:
            continue
        values = _active(data, column) / _rows(data)
        lowest, highest = float(np.min(values)), float(np.max(values))
        yield Finding(
            name="rate_as_spend",
            outcome=Outcome.WARN,
            figure=round(highest, 4),
            threshold=bound,
            columns=(column,),
            sentence=f"`{column}` is always between {lowest:,.4g} and {highest:,.4g}, "
            f"as a rate or an index from 0 to {bound} is; {_REMEDY}",
        )


def average_as_spend(data: Data) -> Iterator[Finding]:
    """Every spend varies with its volume, which an average does not."""
    for channel in data.config.channels:
        column = channel.spend
        if not channel.exposure or channel.exposure == column or _bound(data, column):
            continue
        spend, volume = data.values(column), data.values(channel.exposure)
        both = (spend > 0) & (volume > 0)
        if np.count_nonzero(both) < _MIN_VALUES:
            continue
        spend, volume = spend[both], volume[both]
        spread, other = _spread(spend), _spread(volume)
        if not 0 < spread < _AVERAGE_SPREAD or other < _OTHER_SPREAD * spread:
            continue
        if np.corrcoef(spend, volume)[0, 1] > 0.3 or np.unique(spend).size < spend.size / 2:
            continue  # it follows the volume, or it is a fixed fee
        yield Finding(
            name="average_as_spend",
            outcome=Outcome.WARN,
            figure=round(spread, 4),
            threshold=round(other / _OTHER_SPREAD, 4),
            columns=(column, channel.exposure),
            sentence=f"`{column}` stays close to {np.mean(spend):,.4g} (±{spread:.0%}) while "
            f"`{channel.exposure}` varies by ±{other:.0%}, as an average such as a cost per click "
            f"does; {_REMEDY}",
        )


def tiny_spend(data: Data) -> Iterator[Finding]:
    """No spend is tiny against the other spends and the target."""
    highest = 0.0
    gate, target = data.gate, float(np.nansum(data.values(data.target)))
    for column in data.roles["spend"]:
        values = _active(data, column)
        others = _usual_others(data, column)
        if values.size < _MIN_VALUES or not others or _bound(data, column) is not None:
            continue
        share, roas = float(np.median(values)) / others, target / float(values.sum())
        if share >= gate.min_spend_share:
            continue
        highest = max(highest, roas)
        if roas > gate.max_implied_roas:
            yield Finding(
                name="tiny_spend",
                outcome=Outcome.WARN,
                figure=round(roas, 1),
                threshold=gate.max_implied_roas,
                columns=(column,),
                sentence=f"`{column}` is usually {np.median(values):,.4g} in a {data.period}, "
                f"{share:.2%} of the other spends (allowed: {gate.min_spend_share:.1%}, "
                f"`gate.min_spend_share`), and `{data.target}` is {roas:,.0f} times its sum "
                f"(allowed: {gate.max_implied_roas:g}, `gate.max_implied_roas`): check its unit; "
                f"{_REMEDY}",
            )
    if highest <= gate.max_implied_roas:
        number = quantity(len(data.roles["spend"]), "spend")
        sentence = f"the target by the sum of a tiny spend, of {number}"
        yield passed("tiny_spend", sentence, figure=highest, threshold=gate.max_implied_roas)


def _bound(data: Data, column: str) -> int | None:
    """Return 1 or 100 if the column looks like a rate or index up to there, else None."""
    values = _active(data, column)
    if values.size < _MIN_VALUES or values.max() == values.min():
        return None
    highest = float(np.max(values)) / _rows(data)
    level = float(np.median(values))
    others = _usual_others(data, column)
    target = float(np.nanmedian(np.abs(data.values(data.target))))
    far_below = (others or target) > _FAR_BELOW * level
    whole = bool((values == np.round(values)).all())
    if highest <= 1 and far_below and not whole:
        return 1
    always = values.size >= 0.95 * len(data.dates)
    if highest <= 100 and others > _FAR_BELOW * level and always and _spread(values) < _RATE_SPREAD:
        return 100
    return None


def _rows(data: Data) -> float:
    """Return the mean number of rows in a period, whose values a sum adds up."""
    return max(data.evidence.rows_read / len(data.dates), 1.0)


def _active(data: Data, column: str) -> NDArray[Any]:
    values = data.values(column)
    active: NDArray[Any] = values[values > 0]
    return active


def _usual_others(data: Data, column: str) -> float:
    """Return the usual value of the other spends in a period; 0 if there are none."""
    others = [_active(data, other) for other in data.roles["spend"] if other != column]
    usual = [float(np.median(values)) for values in others if values.size]
    return float(np.median(usual)) if usual else 0.0


def _spread(values: NDArray[Any]) -> float:
    """Return the standard deviation of positive values by their mean."""
    return float(values.std() / values.mean())


CHECKS = (rate_as_spend, average_as_spend, tiny_spend)
