"""What the priors expect before the data are seen, in words of marketing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from job.posterior.market import MarketData
from job.posterior.priors import MOST_SHARE, Priors, draw_prior
from job.posterior.summary import Span, span_of

_FAR = 20.0  # a stated ROAS this many times above or below the typical one has a wrong unit


@dataclass(frozen=True, kw_only=True)
class PriorExpectation:
    """Medians and 90% intervals of the prior.

    Attributes:
        share: the share of the target that all paid media bring.
        roas: the ROAS of each paid channel, by name.
        contradictions: a sentence for each prior that the data's scale contradicts.
        is_possible: False if no draw of the prior is possible, so that there is no posterior.
    """

    share: Span
    roas: dict[str, Span]
    contradictions: tuple[str, ...]
    is_possible: bool = True


def expect(market: MarketData, priors: Priors, *, seed: int) -> PriorExpectation:
    """Return what the priors expect of a market, from the sums of its target and spends alone."""
    spend, target = market.spend.sum(1), float(market.target.sum())
    names = market.names[: market.paid]
    stated = {
        name: prior.roas * money / target
        for name, money in zip(names, spend, strict=True)
        if (prior := priors.of_channel(name)).roas is not None
    }
    typical = priors.typical_share * target / float(spend.sum())
    contradictions = []
    for name in stated:
        roas = priors.of_channel(name).roas or typical
        if not typical / _FAR <= roas <= typical * _FAR:
            contradictions.append(
                f"`posterior.priors.channels.{name}` says that one unit of spend brings {roas:.4g} "
                f"of the target; {typical:.3g} is typical for this data: check the units"
            )
    drawn, kept = draw_prior(market, priors, seed=seed)
    is_possible = bool(sum(stated.values()) < MOST_SHARE and kept.any())
    if not is_possible:
        contradictions.append(
            f"`posterior.priors.channels` says that channels bring {sum(stated.values()):.0%} of "
            f"the target; allowed: less than {MOST_SHARE:.0%}. There is no posterior"
        )
        kept = np.ones_like(kept)
    share = drawn[kept] @ spend / target
    return PriorExpectation(
        share=span_of(share),
        roas={name: span_of(drawn[kept, medium]) for medium, name in enumerate(names)},
        contradictions=tuple(contradictions),
        is_possible=is_possible,
    )
