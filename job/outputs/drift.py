"""Compare a run's figures with those of the market's current run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from contract.limits import Promotion

Metrics = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A channel's figures in one run; low and high are ends of 90% intervals, if there are any.

    `share` is the contribution as a share of the target.
    """

    roas: float
    share: float
    roas_low: float | None = None
    roas_high: float | None = None
    share_low: float | None = None
    share_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class ChannelDrift:
    """A channel that both runs have, before (in the current run) and after (in the new one)."""

    name: str
    before: Figures
    after: Figures

    @property
    def roas_change(self) -> float | None:
        """Return the relative change of ROAS, None if the channel had no effect."""
        return self.after.roas / self.before.roas - 1 if self.before.roas > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """Return the channel as JSON values."""
        return {**asdict(self), "roas_change": self.roas_change}


def figures(metrics: Metrics, *, posterior: bool) -> dict[str, Figures]:
    """Return the figures of each paid channel, of the posterior or of the chosen model."""
    if posterior:
        return {
            c["name"]: Figures(
                roas=c["roas"]["median"],
                share=c["share"]["median"],
                roas_low=c["roas"]["low"],
                roas_high=c["roas"]["high"],
                share_low=c["share"]["low"],
                share_high=c["share"]["high"],
            )
            for c in metrics["posterior"]["channels"]
        }
    return {
        c["name"]: Figures(
            roas=c["contribution"] / c["spend"] if c["spend"] else 0.0,
            share=c["contribution_share"],
        )
        for c in metrics.get("channels") or []
    }


def compare(before: Metrics, after: Metrics) -> list[ChannelDrift]:
    """Return the channels that both runs have, by the posterior if both have one."""
    posterior = bool(before.get("posterior") and after.get("posterior"))
    old, new = figures(before, posterior=posterior), figures(after, posterior=posterior)
    return [
        ChannelDrift(name=name, before=old[name], after=new[name]) for name in new if name in old
    ]


def beyond(channels: list[ChannelDrift], limits: Promotion, *, measure: str) -> Iterator[str]:
    """Yield a sentence for each change beyond the tolerances of `promotion`.

    `measure` is ROAS or CPA. The change of ROAS is the same up and down: a factor of 1.3 is 30%.
    """
    for channel in channels:
        old, new = channel.before, channel.after
        limit = limits.max_roas_change
        if limit is not None and not _inside(new.roas, old.roas_low, old.roas_high):
            low, high = sorted((old.roas, new.roas))
            change = high / low - 1 if low > 0 else float("inf") if high > 0 else 0.0
            if change > limit:
                was, now = (_shown(x, measure) for x in (old.roas, new.roas))
                by = f"{change:.0%}" if change < 10 else "more than 1000%"
                yield (
                    f"{measure} of `{channel.name}` is {now} and was {was}, a change of {by}; "
                    f"allowed: {limit:.0%} (`promotion.max_roas_change`)"
                )
        limit = limits.max_share_change
        if limit is not None and not _inside(new.share, old.share_low, old.share_high):
            change = abs(new.share - old.share)
            if change > limit:
                yield (
                    f"`{channel.name}` brings {new.share:.1%} of the target and brought "
                    f"{old.share:.1%}, a change of {100 * change:.1f} points; allowed: "
                    f"{100 * limit:g} (`promotion.max_share_change`)"
                )


def _inside(value: float, low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and low <= value <= high


def _shown(roas: float, measure: str) -> str:
    if measure == "ROAS":
        return f"{roas:.2f}"
    return f"{1 / roas:,.4g}" if roas > 0 else "without limit"
