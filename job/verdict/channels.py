"""Checks of single channels: what the posterior knows, and whether the chosen model agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contract.amounts import amount, digits
from contract.verdict import Level
from job.gate.wording import name_list, verb
from job.verdict.evidence import Evidence
from job.verdict.finding import Finding, Measure


def posterior(evidence: Evidence) -> Iterator[Finding | Measure]:
    """There is a posterior, so the figures have intervals."""
    if evidence.posterior is None and evidence.config.posterior.enabled:
        yield Finding(
            check="posterior",
            level=Level.REVIEW,
            sentence="there is no posterior, so nothing says how sure the figures are; the run's "
            "warnings have the reason",
        )


def no_effect(evidence: Evidence) -> Iterator[Finding | Measure]:
    """Every channel has an effect."""
    limit = evidence.limits.max_no_effect
    if evidence.drawn:
        yield Measure(round(max(c["no_effect"] for c in evidence.drawn), 4), limit)
    dead = {c["name"]: c["no_effect"] for c in evidence.drawn if c["no_effect"] > limit}
    left_out = [c["name"] for c in evidence.channels if not c["contribution"]]
    names = [*dead, *(name for name in left_out if name not in dead)]
    if names:
        chance = f" (up to {max(dead.values()):.0%} probable)" if dead else " in the chosen model"
        yield Finding(
            check="no_effect",
            level=Level.REVIEW,
            figure=round(max(dead.values()), 4) if dead else None,
            threshold=limit,
            channels=tuple(names),
            sentence=f"{name_list(names)} {verb(len(names))} no measurable effect{chance}: check "
            "that the right column is used, and that the money was really spent; otherwise test "
            "the channel or stop it",
        )


def intervals(evidence: Evidence) -> Iterator[Finding | Measure]:
    """The interval of every channel is narrow enough to be useful."""
    limit = evidence.limits.max_interval_width
    widths = {c["name"]: _width(c) for c in evidence.drawn}
    paired = {name for pair in _wide_pairs(evidence) for name in pair["channels"]}
    asked = [
        c
        for c in evidence.drawn
        if c["name"] not in paired and c["no_effect"] <= evidence.limits.max_no_effect
    ]
    unknown = [c["name"] for c in asked if not c["is_identified"] or widths[c["name"]] > limit]
    if asked and (widest := _finite(max(widths[c["name"]] for c in asked))) is not None:
        yield Measure(widest, limit)
    if not unknown:
        return
    known = [c for c in evidence.drawn if c["is_identified"] and widths[c["name"]] <= limit]
    yield Finding(
        check="intervals",
        level=Level.REVIEW if known else Level.FAIL,
        figure=_finite(max(widths[name] for name in unknown)),
        threshold=limit,
        channels=tuple(unknown),
        sentence=f"the data say little about {name_list(unknown)}"
        f"{'' if known else ', that is, about every channel'}: the intervals of "
        f"{evidence.measure} are mostly assumption; run a lift test (`calibration`), vary the "
        "spend, or use a longer history",
    )


def inseparable(evidence: Evidence) -> Iterator[Finding | Measure]:
    """Every channel's effect can be separated from the others'."""
    pairs = (evidence.posterior or {}).get("pairs", [])
    if pairs and (widest := _finite(max(_widest(pair, evidence) for pair in pairs))) is not None:
        yield Measure(widest, evidence.limits.max_pair_width)
    for pair in _wide_pairs(evidence):
        low, high = _ends(pair["roas"], evidence)
        yield Finding(
            check="inseparable",
            level=Level.REVIEW,
            figure=_finite(_widest(pair, evidence)),
            threshold=evidence.limits.max_pair_width,
            channels=tuple(pair["channels"]),
            sentence=f"{name_list(pair['channels'])} cannot be separated; together their "
            f"{evidence.measure} is {low} to {high} (90% interval): use the sum, combine them, or "
            "vary one while the other stays",
        )


def disagreement(evidence: Evidence) -> Iterator[Finding | Measure]:
    """The chosen model agrees with the posterior."""
    limit = evidence.limits.max_disagreement
    chosen = {c["name"]: _roas(c) for c in evidence.channels}
    factors = {}
    for channel in evidence.drawn:
        model, roas = chosen.get(channel["name"]), channel["roas"]
        if model is None or roas["low"] <= model <= roas["high"]:
            continue
        ends = sorted((model, roas["median"]))
        factor = ends[1] / ends[0] if ends[0] > 0 else float("inf")
        if channel["no_effect"] <= evidence.limits.max_no_effect:
            factors[channel["name"]] = factor
    if (most := _finite(max(factors.values(), default=1.0))) is not None and evidence.drawn:
        yield Measure(most, limit)
    if apart := {name: factor for name, factor in factors.items() if factor > limit}:
        worst = max(apart, key=lambda name: apart[name])
        yield Finding(
            check="disagreement",
            level=Level.REVIEW,
            figure=_finite(apart[worst]),
            threshold=limit,
            channels=tuple(apart),
            sentence=f"the chosen model's {evidence.measure} of {name_list(apart)} is outside the "
            f"posterior's interval, by a factor of more than {limit:g}: use the posterior's "
            f"{evidence.measure}, and search with more iterations",
        )


def lift_tests(evidence: Evidence) -> Iterator[Finding | Measure]:
    """The lift tests agree with what the data say without them."""
    limit = evidence.limits.max_lift_gap
    tests = (evidence.posterior or {}).get("tests", [])
    if tests:
        yield Measure(round(max(map(_lift_gap, tests)), 2), limit)
    for test in tests:
        before, gap = test["before"], _lift_gap(test)
        if gap > limit:
            given = evidence.config.calibration[test["number"]]
            yield Finding(
                check="lift_tests",
                level=Level.FAIL if gap > 2 * limit else Level.REVIEW,
                figure=round(gap, 2),
                threshold=limit,
                channels=(given.channel,),
                sentence=f"the lift test of `{given.channel}` from {given.start} to {given.end} "
                f"measured {amount(test['lift'])}, but the data alone expect "
                f"{amount(before['median'])} ({amount(before['low'])} to "
                f"{amount(before['high'])}): compare regions, dates and the unit of the lift, and "
                "ask whether the spend follows demand",
            )


def _lift_gap(test: Mapping[str, Any]) -> float:
    """Return how far a lift test is from what the data alone expect, in standard deviations."""
    before = test["before"]
    deviation = (before["high"] - before["low"]) / (2 * 1.645)
    spread = (test["standard_error"] ** 2 + deviation**2) ** 0.5
    return float(abs(test["lift"] - before["median"]) / spread)


def chains(evidence: Evidence) -> Iterator[Finding | Measure]:
    """The chains of the posterior agree."""
    limit = evidence.limits.max_r_hat
    if evidence.drawn:
        yield Measure(round(max(c["r_hat"] for c in evidence.drawn), 3), limit)
    apart = {c["name"]: c["r_hat"] for c in evidence.drawn if c["r_hat"] > limit}
    if apart:
        yield Finding(
            check="chains",
            level=Level.REVIEW,
            figure=round(max(apart.values()), 3),
            threshold=limit,
            channels=tuple(apart),
            sentence=f"the chains of the posterior differ for {name_list(apart)} (R-hat "
            f"{max(apart.values()):.2f}): raise `posterior.sweeps` "
            f"({evidence.config.posterior.sweeps})",
        )


def _wide_pairs(evidence: Evidence) -> list[Mapping[str, Any]]:
    """Return the pairs of which one channel alone is not known well."""
    pairs = (evidence.posterior or {}).get("pairs", [])
    identified = {c["name"]: c["is_identified"] for c in evidence.drawn}
    limit = evidence.limits.max_pair_width
    return [
        pair
        for pair in pairs
        if _widest(pair, evidence) > limit or not all(identified[n] for n in pair["channels"])
    ]


def _widest(pair: Mapping[str, Any], evidence: Evidence) -> float:
    widths = {c["name"]: _width(c) for c in evidence.drawn}
    return max(widths[name] for name in pair["channels"])


def _width(channel: Mapping[str, Any]) -> float:
    """Return the width of a channel's interval of ROAS, as a multiple of its median."""
    roas = channel["roas"]
    width = roas["high"] - roas["low"]
    return float(width / roas["median"]) if roas["median"] > 0 else float("inf")


def _roas(channel: Mapping[str, Any]) -> float | None:
    spend, contribution = channel.get("spend"), channel.get("contribution")
    return float(contribution) / float(spend) if spend and contribution is not None else None


def _ends(roas: Mapping[str, float], evidence: Evidence) -> tuple[str, str]:
    """Return the ends of an interval as ROAS or CPA."""
    ends = [roas["low"], roas["high"]]
    if evidence.measure == "ROAS":
        return f"{ends[0]:.2f}", f"{ends[1]:.2f}"
    low, high = (digits(1 / end) if end > 0 else "no limit" for end in reversed(ends))
    return low, high


def _finite(value: float) -> float | None:
    return round(value, 4) if value < float("inf") else None


CHECKS = (posterior, no_effect, intervals, inseparable, disagreement, lift_tests, chains)
