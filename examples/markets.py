"""The true parameters of each example market, which a model should recover."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One paid channel and its true effect.

    The effect in a period is `coefficient * hill(adstock(exposure))`. The coefficient is such that
    the channel's contribution over the whole data is `roas` times its spend.
    """

    name: str
    spend_column: str
    exposure_column: str | None = None  # None: the spend drives the effect
    mean_spend: float  # spend per period, over the periods in which the channel runs
    cost_per_exposure: float = 1.0
    theta: float  # geometric adstock: the part of the effect that remains one period later
    alpha: float  # Hill saturation: shape
    gamma: float  # Hill saturation: inflexion, as a part of the largest adstocked exposure
    roas: float
    on_air: float = (
        1.0  # share of the time in which the channel runs, in flights of several periods
    )
    follows_season: float = 0.0  # how strongly spend follows demand
    volatility: float = 0.25  # standard deviation of log spend, without the shared budget


@dataclass(frozen=True, kw_only=True)
class Event:
    """A promotion: its value in the factor column, its dates, and its effect on a period."""

    label: str
    starts: tuple[tuple[int, int], ...]  # (month, day) of each year
    days: int
    lift: float  # share of the base


@dataclass(frozen=True, kw_only=True)
class Market:
    """One market. Amounts of money are per period; shares are relative to the base."""

    name: str
    seed: int
    frequency: Literal["week", "day"] = "week"
    start: date
    periods: int
    base: float
    trend: float  # share of the base gained from the first period to the last
    season: tuple[float, ...]  # shares: cosine and sine of one, two, ... cycles a year
    weekday: tuple[float, ...] = (1.0, 0.95, 0.95, 1.0, 1.15, 1.2, 0.75)  # Monday first
    holidays: dict[str, float]  # share of a week's base that a holiday adds or removes
    events: tuple[Event, ...]
    competitor: float  # share of the base lost to the competitor's sales, on average
    newsletter: float  # share of the base that the newsletter adds, on average
    noise: float  # standard deviation, as a share of the base
    channels: tuple[Channel, ...] = field(default_factory=tuple)

    @property
    def days_per_period(self) -> int:
        """Return 7 for weekly and 1 for daily data."""
        return 7 if self.frequency == "week" else 1


def _channels(
    *,
    tv: float,
    search: float,
    social: float,
    radio: float,
    roas: tuple[float, float, float, float],
) -> tuple[Channel, ...]:
    """Return the four channels with a market's mean spends and returns."""
    return (
        Channel(name="tv", spend_column="TV_COST", exposure_column="TV_GRP", mean_spend=tv,
                cost_per_exposure=320.0, theta=0.55, alpha=2.2, gamma=0.45, roas=roas[0],
                on_air=0.5, follows_season=0.2, volatility=0.6),
        Channel(name="search", spend_column="SEARCH_COST", exposure_column="SEARCH_CLICKS",
                mean_spend=search, cost_per_exposure=0.62, theta=0.1, alpha=2.2, gamma=0.5,
                roas=roas[1], follows_season=0.3, volatility=0.5),
        Channel(name="social", spend_column="SOCIAL_COST", exposure_column="SOCIAL_IMPRESSIONS",
                mean_spend=social, cost_per_exposure=0.0065, theta=0.3, alpha=2.0, gamma=0.5,
                roas=roas[2], on_air=0.7, follows_season=0.15, volatility=0.8),
        Channel(name="radio", spend_column="RADIO_COST", mean_spend=radio, theta=0.4, alpha=2.0,
                gamma=0.5, roas=roas[3], on_air=0.45, volatility=0.7),
    )  # fmt: skip


_EVENTS = (
    Event(label="spring_sale", starts=((4, 10),), days=14, lift=0.10),
    Event(label="summer_sale", starts=((7, 5),), days=14, lift=0.08),
    Event(label="black_week", starts=((11, 21),), days=7, lift=0.22),
)

MARKETS: dict[str, Market] = {
    market.name: market
    for market in (
        Market(
            name="DE", seed=20220103, start=date(2022, 1, 3), periods=208, base=1_450_000.0,
            trend=0.03, season=(0.14, -0.06, 0.05, 0.03), competitor=0.12, newsletter=0.05,
            noise=0.020, events=_EVENTS,
            holidays={"Christmas Day": 0.10, "New Year's Day": -0.07, "Easter Monday": 0.05},
            channels=_channels(tv=195_000.0, search=80_000.0, social=62_000.0, radio=47_000.0,
                               roas=(2.1, 2.8, 2.4, 1.7)),
        ),
        Market(
            name="FR", seed=20220104, start=date(2022, 1, 3), periods=208, base=980_000.0,
            trend=-0.02, season=(0.09, 0.11, -0.05, 0.03), competitor=0.10, newsletter=0.06,
            noise=0.020, events=_EVENTS,
            holidays={"Christmas Day": 0.12, "New Year's Day": -0.06, "National Day": -0.04},
            channels=_channels(tv=120_000.0, search=65_000.0, social=57_000.0, radio=33_000.0,
                               roas=(1.7, 2.5, 2.8, 1.9)),
        ),
        Market(
            name="GB", seed=20220105, start=date(2022, 7, 4), periods=182, base=1_900_000.0,
            trend=0.04, season=(0.15, 0.03, 0.06, -0.03), competitor=0.14, newsletter=0.04,
            noise=0.020, events=_EVENTS,
            holidays={"Christmas Day": 0.14, "New Year's Day": -0.08, "Good Friday": 0.04},
            channels=_channels(tv=265_000.0, search=127_000.0, social=91_000.0, radio=52_000.0,
                               roas=(2.3, 2.6, 2.0, 2.2)),
        ),
        Market(
            name="NL", seed=20240101, frequency="day", start=date(2024, 1, 1), periods=731,
            base=62_000.0, trend=0.03, season=(0.11, 0.04, 0.04, 0.02), competitor=0.10,
            newsletter=0.05, noise=0.035, events=_EVENTS,
            holidays={"Christmas Day": -0.5, "New Year's Day": -0.55, "King's Day": -0.3},
            channels=_channels(tv=7_300.0, search=3_800.0, social=3_000.0, radio=2_000.0,
                               roas=(1.9, 3.0, 2.3, 1.6)),
        ),
    )
}  # fmt: skip
