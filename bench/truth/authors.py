"""Markets as other authors simulate them, rewritten from what they publish.

`simmmulator` follows siMMMulator (Meta): campaigns of days, noisy prices and conversion rates, a
carry-over of days, and a response that is the adstocked amount times its Hill value. `amss` follows
the Aggregate Marketing System Simulator (Google: Vaver and Zhang, 2017): no response curve at all,
but a population that media move between states of activity and favourability, and whose purchases
are counted. Its true ROAS is what is missing when a channel's spend is taken away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bench.truth.series import Array, Random, wander
from examples.simulate import adstock, hill

_DAYS = 4 * 364
_WEEKS = _DAYS // 7


@dataclass(frozen=True, kw_only=True)
class Weeks:
    """What a simulator returns, per week.

    Attributes:
        target: revenue, of shape (weeks,).
        spend: of shape (channels, weeks).
        exposure: what the modeller sees of the media, of shape (channels, weeks).
        roas: the true ROAS, of shape (channels,).
        context: other columns that the modeller sees, of shape (columns, weeks).
    """

    target: Array
    spend: Array
    exposure: Array
    roas: Array
    context: Array


def simmmulator(random: Random, *, channels: int = 4, campaign: int = 14) -> Weeks:
    """Simulate four years by siMMMulator's steps 1 to 6.

    Campaigns of `campaign` days share a normal budget by random proportions; cost per thousand
    impressions and conversion rates are noisy per campaign. Ranges are those of its guide, where
    it has any.
    """
    days, campaigns = np.arange(_DAYS), -(-_DAYS // campaign)
    base = 1e5 * (1 + random.uniform(0, 0.2) * days / _DAYS)
    base += random.uniform(500, 3000) * 8 * np.sin(2 * np.pi * days / 365)
    base += random.normal(0, 0.05 * 1e5, _DAYS)
    budget = np.maximum(random.normal(0.1, 0.05, campaigns), 0) * 1e5 * campaign
    middle = random.dirichlet(np.full(channels, 4.0))
    parts = middle[:, None] * random.uniform(0.5, 1.5, (channels, campaigns))
    parts /= parts.sum(0)
    impressions, spend, effects = [], [], []
    for part in parts:
        money = np.repeat(part * budget / campaign, campaign)[:_DAYS]
        price = random.uniform(2, 10) * np.maximum(random.normal(1, 0.05, campaigns), 0.5)
        shown = money / np.repeat(price, campaign)[:_DAYS] * 1000
        rate = np.repeat(np.maximum(random.normal(1, 0.15, campaigns), 0), campaign)[:_DAYS]
        carried = adstock(shown, random.uniform(0.1, 0.6))
        inflexion = carried.min() + random.uniform(0.2, 0.6) * np.ptp(carried)
        effect = rate * carried * hill(carried, random.uniform(1, 3), inflexion)
        roas = np.exp(random.normal(np.log(2), 0.5))
        effects.append(effect * roas * money.sum() / effect.sum())
        impressions.append(shown)
        spend.append(money)
    money_of, effect_of = _weekly(np.array(spend)), _weekly(np.array(effects))
    return Weeks(
        target=_weekly(base[None])[0] + effect_of.sum(0),
        spend=money_of,
        exposure=_weekly(np.array(impressions)),
        roas=effect_of.sum(1) / money_of.sum(1),
        context=np.empty((0, _WEEKS)),
    )


def _weekly(days: Array) -> Array:
    out: Array = days.reshape(len(days), -1, 7).sum(2)
    return out


# The states of AMSS: rows are favourability, from unaware and negative to favourable; columns say
# whether and how active a person is. Numbers are those of the package's own example.
_OUT, _SATIATED, _INACTIVE, _EXPLORING, _BUYING = range(5)
_RESPONSIVE = slice(_INACTIVE, _BUYING + 1)
_FAVOUR = np.array([0.03, 0.07, 0.65, 0.2, 0.05])
_ACTIVITY = np.array([0.6, 0.3, 0.1])
_BUYS = np.array([0.014, 0, 0.2, 0.3, 0.9])  # probability that a buyer buys this brand
_MORE_FAVOUR = np.array(
    [
        [0.4, 0, 0.4, 0.2, 0],
        [0, 0.9, 0.1, 0, 0],
        [0, 0, 0.6, 0.4, 0],
        [0, 0, 0, 0.8, 0.2],
        [0, 0, 0, 0, 1],
    ]
)
_MORE_ACTIVE = np.array([[0.05, 0.95, 0], [0, 0.85, 0.15], [0, 0, 1]])


@dataclass(frozen=True, kw_only=True)
class Medium:
    """How a medium of AMSS works.

    Attributes:
        spend: of each week, per head of the population; of search, per head of those who search.
        cost: of one exposure.
        half: the exposures per person reached at which half of those reached change.
        is_search: whether it reaches active people and makes them more active; the others reach
            everybody and make the brand more liked.
    """

    spend: Array
    cost: float
    half: float
    is_search: bool = False


def amss(random: Random) -> Weeks:
    """Simulate four years of a population by the process of AMSS, in expected numbers of people.

    Of the original's states, loyalty and availability are left out. Spends follow the season, and
    search reaches active people only. The modeller sees an index of the market's size, with an
    error of 2%.
    """
    time = np.arange(_WEEKS)
    season = 0.6 + 0.25 * np.sin(2 * np.pi * time / 52 + random.uniform(0, 2 * np.pi))
    market = np.clip(0.68 * season * (1 + wander(random, _WEEKS, 0.1, 0.3)), 0.05, 0.95)
    media = [_medium(random, season, is_search=number == 3) for number in range(4)]
    memory = random.uniform(0, 0.6)
    sales, spend = _sell(market, media, memory)
    roas = []
    for number, money in enumerate(spend):
        without = [
            replace(medium, spend=medium.spend * (place != number))
            for place, medium in enumerate(media)
        ]
        roas.append((sales - _sell(market, without, memory)[0]).sum() / money.sum())
    return Weeks(
        target=(sales + random.normal(0, 0.02 * sales.mean(), _WEEKS)) * 1e8,
        spend=spend * 1e8,
        exposure=spend * 1e8,
        roas=np.array(roas),
        context=market[None] * np.exp(random.normal(0, 0.02, (1, _WEEKS))),
    )


def _medium(random: Random, season: Array, *, is_search: bool) -> Medium:
    volume = np.maximum(0, season + wander(random, _WEEKS, random.uniform(0.2, 0.6), 0.5))
    if is_search:
        volume = (np.arange(_WEEKS) % 13 > 1) * random.uniform(0.7, 1.3, _WEEKS)
    else:
        volume *= np.repeat(random.random(_WEEKS // 4) < random.choice([1, 0.75, 0.5]), 4)
    cost = random.uniform(0.01, 0.03) if is_search else random.uniform(0.002, 0.006)
    return Medium(
        spend=volume / volume.mean() * random.uniform(0.1, 0.5) * cost,
        cost=cost,
        half=random.uniform(1, 4),
        is_search=is_search,
    )


def _sell(market: Array, media: list[Medium], memory: float) -> tuple[Array, Array]:
    """Return the sales per head of each week, and what each medium spent.

    `memory` is the part of a change of favourability that is left a week later.
    """
    people = np.zeros((5, 5))
    people[:, _OUT] = _FAVOUR * (1 - market[0])
    people[:, _RESPONSIVE] = np.outer(_FAVOUR, _ACTIVITY) * market[0]
    sales, spend = np.zeros(len(market)), np.zeros((len(media), len(market)))
    for week, size in enumerate(market):
        _natural(people, size, memory)
        for number, medium in enumerate(media):
            spend[number, week] = _show(people, medium, week)
        bought = people[:, _BUYING] * _BUYS
        sales[week] = bought.sum()
        people[:, _BUYING] -= bought
        people[:, _SATIATED] += bought
    return sales, spend


def _natural(people: Array, size: float, memory: float) -> None:
    """Let people enter or leave the market, become hungry again, and forget."""
    inside = people[:, _SATIATED:].sum()
    if size > inside:
        enter = people[:, _OUT] * (size - inside) / (1 - inside)
        people[:, _OUT] -= enter
        people[:, _RESPONSIVE] += np.outer(enter, _ACTIVITY)
    else:
        leave = people[:, _SATIATED:] * (1 - size / inside)
        people[:, _SATIATED:] -= leave
        people[:, _OUT] += leave.sum(1)
    hungry = people[:, _SATIATED:].sum(1)
    people[:, _SATIATED] = 0
    people[:, _RESPONSIVE] = np.outer(hungry, _ACTIVITY)
    people += (1 - memory) * (np.outer(_FAVOUR, people.sum(0)) - people)


def _show(people: Array, medium: Medium, week: int) -> float:
    """Show a medium to the population, move those whom it changes, and return what it cost."""
    audience = people.copy()
    if medium.is_search:
        audience[:, : _INACTIVE + 1] = 0
    seen = medium.spend[week] / medium.cost  # exposures per head of the audience
    if seen == 0:
        return 0.0
    reached = 1 - np.exp(-seen)  # the share of the audience that sees it at least once
    changed = audience * reached * hill(np.array(seen / reached), 1, medium.half)
    people -= changed
    if medium.is_search:
        people += changed
        people[:, _RESPONSIVE] += changed[:, _RESPONSIVE] @ (_MORE_ACTIVE - np.eye(3))
    else:
        people += _MORE_FAVOUR.T @ changed
    return float(seen * audience.sum() * medium.cost)
