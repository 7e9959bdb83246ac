"""Checks of what the model leaves unexplained, and of media that trend and season can replace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from contract.amounts import amount
from contract.verdict import Level
from job.gate.wording import name_list
from job.posterior.baseline import season_and_trend
from job.posterior.market import Array, MarketData
from job.verdict import breaks
from job.verdict.breaks import ALL_MEDIA, LEVEL, Break
from job.verdict.evidence import Evidence
from job.verdict.finding import Finding, Measure


def autocorrelation(evidence: Evidence) -> Iterator[Finding | Measure]:
    """What the posterior leaves unexplained is noise without a memory."""
    found, limit = (evidence.posterior or {}).get("autocorrelation"), evidence.limits
    if found is not None:
        yield Measure(round(found, 3), limit.max_autocorrelation)
    if found is not None and found > limit.max_autocorrelation:
        yield Finding(
            check="autocorrelation",
            level=Level.REVIEW,
            figure=round(found, 3),
            threshold=limit.max_autocorrelation,
            sentence=f"the noise of a {evidence.period} resembles that of the {evidence.period} "
            f"before (autocorrelation {found:.2f}): something that lasts for several periods is "
            "missing from the model, such as prices, distribution or demand; add it to `context` "
            "or `annotations`",
        )


def outliers(evidence: Evidence) -> Iterator[Finding | Measure]:
    """No period is far from what the chosen model predicts."""
    residuals, limit = evidence.residuals, evidence.limits.max_outlier_score
    centred = np.abs(residuals - np.median(residuals))
    deviation = 1.4826 * float(np.median(centred))
    scores = centred / deviation if deviation > 0 else centred * 0.0
    far = np.flatnonzero(scores > limit)
    yield Measure(round(float(np.max(scores)), 1), limit)
    if far.size:
        worst = int(np.argmax(scores))
        column = evidence.config.target.column
        actual, predicted = evidence.by_period.iloc[worst][["actual", "predicted"]]
        yield Finding(
            check="outliers",
            level=Level.REVIEW,
            figure=round(float(scores[worst]), 1),
            threshold=limit,
            sentence=f"`{column}` is {amount(actual)} on {evidence.day(worst)}, but the model "
            f"predicts {amount(predicted)} ({far.size} such outliers): add the event to "
            "`annotations`, or correct the value",
        )


def structural_break(evidence: Evidence) -> Iterator[Finding | Measure]:
    """The level and the effects of the channels stay the same."""
    yield from _change(
        evidence, "structural_break", breaks.lasting_change, evidence.limits.max_break_score
    )


def recent_change(evidence: Evidence) -> Iterator[Finding | Measure]:
    """The level and the effects of the channels are the same in the last few periods."""
    yield from _change(
        evidence, "recent_change", breaks.recent_change, evidence.limits.max_recent_score
    )


def _change(
    evidence: Evidence,
    check: str,
    find: Callable[[MarketData, Mapping[str, Array]], Break | None],
    limit: float,
) -> Iterator[Finding | Measure]:
    market, found = evidence.market, find(evidence.market, _media(evidence))
    if found is not None:
        yield Measure(round(found.score, 1), limit)
    if found is None or found.score <= limit:
        return
    direction = "higher" if found.change > 0 else "lower"
    column, day = evidence.config.target.column, evidence.day(found.position)
    if found.name == LEVEL:
        share = abs(found.change) / max(float(np.abs(market.target).mean()), 1e-300)
        what = f"the level of `{column}` is {direction} by {share:.0%} of its mean from {day} on"
    else:
        who = "all paid channels" if found.name == ALL_MEDIA else f"`{found.name}`"
        what = f"the effect of {who} is {direction} from {day} on"
    yield Finding(
        check=check,
        level=Level.REVIEW,
        figure=round(found.score, 1),
        threshold=limit,
        channels=() if found.name in (LEVEL, ALL_MEDIA) else (found.name,),
        sentence=f"{what}, with no driver that explains it (t = {found.score:.1f}): add a factor "
        "or an annotation from that date, or begin the window (`date.window_start`) there",
    )


def absorbed(evidence: Evidence) -> Iterator[Finding | Measure]:
    """No channel's spend follows trend and season so closely that they can replace it."""
    market, limit = evidence.market, evidence.limits.max_absorbed_share
    basis, _ = np.linalg.qr(np.column_stack(season_and_trend(market)[0]))
    shares = {}
    for name, spend in zip(market.names[: market.paid], market.spend, strict=False):
        variance = float(spend.var())
        left = spend - basis @ (basis.T @ spend)
        if variance > 0:
            shares[name] = 1 - float(left.var()) / variance
    if not shares or market.periods <= 2 * basis.shape[1]:
        return
    yield Measure(round(max(shares.values()), 3), limit)
    if names := [name for name, share in shares.items() if share > limit]:
        yield Finding(
            check="absorbed",
            level=Level.REVIEW,
            figure=round(max(shares.values()), 3),
            threshold=limit,
            channels=tuple(names),
            sentence=f"trend and season explain {max(shares.values()):.0%} of the spend of "
            f"{name_list(names)}, so they can absorb its effect: vary the spend against the season,"
            " or run a lift test",
        )


def _media(evidence: Evidence) -> dict[str, Array]:
    """Return each medium's contribution in the chosen model; its exposure if that is zero."""
    market, media = evidence.market, {}
    for name, exposure in zip(market.names, market.exposure, strict=True):
        values = exposure[-market.periods :]
        if name in evidence.media and len(evidence.media) == market.periods:
            contribution = evidence.media[name].to_numpy(dtype=float)
            values = contribution if contribution.any() else values
        media[name] = values
    return media


CHECKS = (autocorrelation, outliers, structural_break, recent_change, absorbed)
