"""Checks of the search: convergence, cluster winners, and the pull towards spend shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contract.verdict import Level
from job.gate.wording import name_list, verb
from job.verdict.evidence import Evidence
from job.verdict.finding import Finding, Measure

_ERRORS = {"nrmse": "NRMSE", "decomp_rssd": "DECOMP.RSSD", "mape": "MAPE"}


def convergence(evidence: Evidence) -> Iterator[Finding | Measure]:
    """The errors of the search have converged, or its trials end at the same error."""
    rule = evidence.metrics.get("convergence") or {}
    still = [_ERRORS.get(error, error) for error, row in rule.items() if not row["converged"]]
    lowest, limit = evidence.lowest_errors, evidence.limits.max_trial_spread
    spread = max(lowest) / min(lowest) - 1 if len(lowest) > 1 and min(lowest) > 0 else None
    if spread is not None and spread <= limit:
        yield Measure(round(spread, 4), limit)
    if rule and (not still or (len(still) < len(rule) and spread is not None and spread <= limit)):
        return
    what = (
        f"{' and '.join(still)} {verb(len(still))} not converged" if still else "nothing is known"
    )
    trials = (
        f", and the lowest NRMSE of its trials differs by {spread:.0%}"
        if spread is not None and spread > limit
        else ""
    )
    yield Finding(
        check="convergence",
        level=Level.REVIEW,
        figure=None if spread is None else round(spread, 4),
        threshold=limit,
        sentence=f"the search is too short: {what}{trials}; another seed may choose another "
        "model: raise `training.iterations`, or set `training.max_iterations`",
    )


def cluster_winners(evidence: Evidence) -> Iterator[Finding | Measure]:
    """The cluster winners agree on what each channel contributes."""
    winners, limit = evidence.winners, evidence.limits.max_winner_spread
    spread = winners.max() - winners.min()
    apart = [str(name) for name in spread.index[spread > limit]]
    if len(winners):
        yield Measure(round(float(spread.max()), 4), limit)
    if apart:
        worst = str(spread.idxmax())
        low, high = winners[worst].min(), winners[worst].max()
        yield Finding(
            check="cluster_winners",
            level=Level.REVIEW,
            figure=round(float(spread.max()), 4),
            threshold=limit,
            channels=tuple(apart),
            sentence=f"the {len(winners)} cluster winners disagree: `{worst}` has {low:.0%} to "
            f"{high:.0%} of the effect of all paid channels (`verdict.max_winner_spread`: "
            f"{limit:.0%}): use the posterior, not one model, or calibrate with a lift test",
        )


def spend_shares(evidence: Evidence) -> Iterator[Finding | Measure]:
    """The effect shares of the chosen model are more than a copy of the spend shares."""
    limits, rssd = evidence.limits, evidence.metrics.get("decomp_rssd")
    if rssd is None or len(evidence.channels) < 2:
        return
    if rssd >= limits.min_rssd:
        yield Measure(round(rssd, 4), limits.min_rssd)
        return
    differing = _differing(evidence)
    if differing or evidence.posterior is None:
        why = (
            f"the posterior does not confirm it for {name_list(differing)}"
            if differing
            else "there is no posterior to confirm it"
        )
        yield Finding(
            check="spend_shares",
            level=Level.REVIEW,
            figure=round(rssd, 4),
            threshold=limits.min_rssd,
            channels=tuple(differing),
            sentence=f"the chosen model gives each channel a share of the effect that equals its "
            f"share of spend (DECOMP.RSSD {rssd:.3f}), as the search prefers, and {why}: use the "
            f"posterior's {evidence.measure}, or a lift test",
        )


def _differing(evidence: Evidence) -> Sequence[str]:
    """Return the channels for which the posterior says another effect share, or nothing."""
    if evidence.posterior is None:
        return []
    mean = evidence.posterior["total"]["roas"]["median"]
    limit = evidence.limits.max_disagreement
    return [
        c["name"]
        for c in evidence.drawn
        if not c["is_identified"] or not mean / limit <= c["roas"]["median"] <= mean * limit
    ]


CHECKS = (convergence, cluster_winners, spend_shares)
