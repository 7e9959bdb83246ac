"""The Metropolis steps of a sweep: shapes, scales, presence and the priors' own parameters."""

from __future__ import annotations

import numpy as np

from job.posterior.chains import Chains, Rest, Shape, dot
from job.posterior.market import Array
from job.posterior.media import Whole
from job.posterior.memory import Memory

_WIDER = 1.3  # the proposal of a scale is wider than its conditional density
_LEAST_LEFT, _TINY = 1e-12, 1e-300  # of a response without the baseline; less is rounding


class History:
    """Earlier states of all chains; the difference of two is a good step (ter Braak 2008)."""

    def __init__(self, chains: Chains, *, size: int = 200) -> None:
        low, high = chains.media.low, chains.media.high
        random = chains.random
        scale = random.normal(0, 0.7, (size, *low.shape[:1], 1))
        shape = low + (high - low) * random.random((size, *low.shape))
        self._states = [np.concatenate([scale, shape], axis=2)]
        self._drawn = self._states[0]

    def add(self, chains: Chains) -> None:
        """Keep the chains' states, and forget the older half of all."""
        state = chains.state
        self._states.append(np.concatenate([state.scale[:, :, None], state.parameters], axis=2))
        if len(self._states) > 12:
            self._drawn = np.concatenate(self._states[len(self._states) // 2 :])

    def differences(self, chains: Chains, medium: int) -> Array:
        """Return differences of two states of a medium, of shape (chains, 1 + parameters)."""
        first, second = chains.random.integers(0, len(self._drawn), (2, chains.chains))
        out: Array = self._drawn[first, medium] - self._drawn[second, medium]
        return out

    def differences_of_scales(self, chains: Chains) -> Array:
        """Return differences of the scales of two states, of shape (chains, media)."""
        first, second = chains.random.integers(0, len(self._drawn), (2, chains.chains))
        out: Array = self._drawn[first, :, 0] - self._drawn[second, :, 0]
        return out


def sweep(chains: Chains, history: History, memory: Memory, number: int) -> None:
    """Move every part of the state once; `number` counts the sweeps."""
    for medium in range(chains.market.media):
        _along(chains, medium, history)
        _recall(chains, medium, memory)
        if number % 2 == 0:
            _switch(chains, medium, memory)
    _scales(chains, history)
    _typical_roas(chains)
    if number % 2 == 0:
        chains.try_autocorrelation()


def _recall(chains: Chains, medium: int, memory: Memory) -> None:
    """Propose a shape near any earlier one, with a scale that suits it."""
    state = chains.state
    parameters, delay = memory.draw(chains, medium)
    before = memory.excess(medium, state.parameters[:, medium], state.delay[:, medium])
    after = memory.excess(medium, parameters, delay)
    _shape(chains, medium, parameters, delay, None, correction=before - after)


def _along(chains: Chains, medium: int, history: History) -> None:
    """Propose a step along the difference of two earlier states."""
    random, count = chains.random, chains.chains
    difference = history.differences(chains, medium)
    chosen = random.random(difference.shape) < 0.7
    chosen[~chosen.any(1), 0] = True
    factor = 2.38 / np.sqrt(2 * chosen.sum(1)) * np.sqrt(random.random(count))
    factor = np.where(random.random(count) < 0.1, 1.0, factor)[:, None]
    step = chosen * (difference * factor + random.normal(0, 0.01, difference.shape))
    low, high = chains.media.low[medium], chains.media.high[medium]
    parameters = _reflect(chains.state.parameters[:, medium] + step[:, 1:], low, high)
    redrawn = random.random(count) < 0.15
    delay = np.where(redrawn, chains.fresh_delay(count), chains.state.delay[:, medium])
    _shape(chains, medium, parameters, delay, chains.state.scale[:, medium] + step[:, 0])


def _shape(
    chains: Chains,
    medium: int,
    parameters: Array,
    delay: Whole,
    scale: Array | None,
    *,
    correction: Array | float = 0.0,
) -> None:
    """Propose parameters and delay; without a scale, one is drawn from its conditional density.

    `correction` is the logarithm of how much more often the way back is proposed.
    """
    new, rest = chains.shape(medium, parameters, delay), chains.without(medium)
    product, norm = _products(rest, new)
    present, log_typical = chains.state.scale[:, medium], chains.log_typical[medium]
    if scale is None:
        middle, spread = _conditional(chains, medium, rest, new)
        drawn = middle + spread * chains.random.standard_normal(chains.chains)
        old = _conditional(chains, medium, rest, chains.present(medium))
        correction += _normal(present + log_typical, *old) - _normal(drawn, middle, spread)
        scale = drawn - log_typical
    share = chains.typical[medium] * np.exp(scale) * chains.state.on[:, medium]
    squares = rest.squares - 2 * share * product + share**2 * norm
    predicted = rest.predicted + share[:, None] * new.tested
    shares = chains.shares()
    before = chains.prior_of_total(shares)
    shares[:, medium] = share
    ratio = chains.likelihood(squares, predicted)
    ratio -= chains.likelihood(chains.squares, chains.predicted)
    ratio += chains.prior_of_total(shares) - before + correction
    ratio += chains.prior_of_scale(medium, scale) - chains.prior_of_scale(medium, present)
    chains.set_medium(medium, chains.accept(ratio), rest, scale=scale, shape=new)


def _switch(chains: Chains, medium: int, memory: Memory) -> None:
    """Propose that a medium without effect has one, or the other way round.

    While a medium has no effect, its scale and shape follow their priors.
    """
    no_effect = chains.scales.no_effect[medium]
    if no_effect == 0:
        return
    rest, old = chains.without(medium), chains.present(medium)
    on, present = chains.state.on[:, medium], chains.state.scale[:, medium]
    parameters, delay = memory.draw(chains, medium)
    parameters = np.where(on[:, None], chains.fresh_parameters(medium), parameters)
    delay = np.where(on, chains.fresh_delay(chains.chains), delay)
    new = chains.shape(medium, parameters, delay)
    effective = old.where(on, new)
    product, norm = _products(rest, effective)
    middle, spread = _conditional(chains, medium, rest, effective)
    prior_middle, prior_spread = chains.scale_prior(medium)
    log_typical = chains.log_typical[medium]
    noise = chains.random.standard_normal(chains.chains)
    scale = np.where(on, prior_middle + prior_spread * noise, middle + spread * noise - log_typical)
    with_effect, without_effect = np.where(on, present, scale), np.where(on, scale, present)
    share = np.where(on, 0.0, chains.typical[medium] * np.exp(scale))
    squares = rest.squares - 2 * share * product + share**2 * norm
    predicted = rest.predicted + share[:, None] * effective.tested
    shares = chains.shares()
    before = chains.prior_of_total(shares)
    shares[:, medium] = share
    odds = np.log(no_effect / (1 - no_effect))
    birth = _normal(with_effect + log_typical, middle, spread)
    birth += memory.excess(medium, effective.parameters, effective.delay)
    death = _normal(without_effect, prior_middle, prior_spread)
    ratio = chains.likelihood(squares, predicted)
    ratio -= chains.likelihood(chains.squares, chains.predicted)
    ratio += chains.prior_of_total(shares) - before
    ratio += chains.prior_of_scale(medium, scale) - chains.prior_of_scale(medium, present)
    ratio += np.where(on, odds + birth - death, -odds + death - birth)
    chains.set_medium(medium, chains.accept(ratio), rest, scale=scale, shape=new, on=~on)


def _scales(chains: Chains, history: History) -> None:
    """Propose scales of several media: along differences, and from one medium to another."""
    random, count, media = chains.random, chains.chains, chains.market.media
    products, with_target, target = chains.gram()
    middle = chains.scales.middle(chains.state.level)
    spread = chains.scales.spread(chains.state.spread)

    def density(scale: Array) -> Array:
        shares = chains.typical * np.exp(scale) * chains.state.on
        squares = target - 2 * np.einsum("cm,cm->c", shares, with_target)
        squares += np.einsum("cm,cmn,cn->c", shares, products, shares)
        predicted = np.einsum("cm,cmk->ck", shares, chains.tested)
        prior = -0.5 * (((scale - middle) / spread) ** 2).sum(1)
        out: Array = chains.likelihood(squares, predicted) + prior + chains.prior_of_total(shares)
        return out

    present = density(chains.state.scale)

    def propose(scale: Array, correction: Array | float = 0.0) -> None:
        nonlocal present
        new = density(scale)
        taken = chains.accept(new - present + correction)
        chains.set_scales(taken, scale)
        present = np.where(taken, new, present)

    for part in (1.0, 0.4):
        chosen = random.random((count, media)) < part
        factor = 2.38 / np.sqrt(2 * np.maximum(chosen.sum(1), 1)) * random.random(count)
        step = history.differences_of_scales(chains) * factor[:, None]
        step += random.normal(0, 0.005, (count, media))
        propose(chains.state.scale + chosen * step)
    for _ in range(media if media > 1 else 0):
        propose(*_transfer(chains))
    chains.settle()


def _transfer(chains: Chains) -> tuple[Array, Array]:
    """Return scales after a part of one medium's effect went to another; the sum stays."""
    random, count, media = chains.random, chains.chains, chains.market.media
    every = np.arange(count)
    giver = random.integers(0, media, count)
    taker = (giver + random.integers(1, media, count)) % media
    scale = chains.state.scale.copy()
    share = chains.typical * np.exp(scale)
    from_share, to_share = share[every, giver], share[every, taker]
    total = from_share + to_share
    step = 0.3 * np.exp(random.normal(-1, 1, count)) * random.standard_normal(count)
    part = from_share / total + step
    both = chains.state.on[every, giver] & chains.state.on[every, taker]
    possible = both & (part > 0) & (part < 1)
    part = np.where(possible, part, 0.5)
    new_from, new_to = total * part, total * (1 - part)
    # The step is symmetric in the part; the density is that of the logarithms.
    correction = np.log(from_share) + np.log(to_share) - np.log(new_from) - np.log(new_to)
    scale[every, giver] = np.log(new_from / chains.typical[giver])
    scale[every, taker] = np.log(new_to / chains.typical[taker])
    return scale, np.where(possible, correction, -np.inf)


def _typical_roas(chains: Chains) -> None:
    """Propose level and spread of the ROAS of the channels that share them."""
    random, state, priors = chains.random, chains.state, chains.priors
    paid = state.scale[:, chains.scales.is_common]

    def density(level: Array, spread: Array) -> Array:
        out = -0.5 * (((paid - level[:, None]) / spread[:, None]) ** 2).sum(1)
        out += (1 - paid.shape[1]) * np.log(spread)
        out += -0.5 * (level / priors.roas_level) ** 2 - 0.5 * (spread / priors.roas_spread) ** 2
        return np.asarray(out)

    for _ in range(3):
        level = state.level + random.normal(0, 0.3, chains.chains)
        spread = state.spread * np.exp(random.normal(0, 0.4, chains.chains))
        taken = chains.accept(density(level, spread) - density(state.level, state.spread))
        state.level = np.where(taken, level, state.level)
        state.spread = np.where(taken, spread, state.spread)


def _products(rest: Rest, shape: Shape) -> tuple[Array, Array]:
    """Return the products of a medium's response with the residual and with itself, above 0."""
    whole = dot(shape.whitened, shape.whitened)
    return (
        dot(shape.whitened, rest.residual) - dot(shape.inside, rest.inside),
        np.maximum(whole - dot(shape.inside, shape.inside), _LEAST_LEFT * whole + _TINY),
    )


def _conditional(chains: Chains, medium: int, rest: Rest, shape: Shape) -> tuple[Array, Array]:
    """Return a normal density of the logarithm of a medium's share, near its conditional one.

    Data and lift tests are weighed as two measurements of the share.
    """
    product, norm = _products(rest, shape)
    noise = np.maximum(rest.squares - product**2 / norm, 1e-300) / chains.freedom
    weights = chains.power * chains.tests.precision * shape.tested
    precision = norm / noise + (weights * shape.tested).sum(1)
    middle = product / noise + (weights * (chains.tests.lift - rest.predicted)).sum(1)
    estimate = np.maximum(middle / precision, 0.05 * chains.typical[medium])
    logarithmic = np.log1p(np.minimum(_WIDER**2 / precision / estimate**2, 8.0))
    return np.log(estimate) - logarithmic / 2, np.sqrt(logarithmic)


def _normal(value: Array, middle: Array, spread: Array) -> Array:
    out: Array = -0.5 * ((value - middle) / spread) ** 2 - np.log(spread)
    return out


def _reflect(values: Array, low: Array, high: Array) -> Array:
    """Return the values, mirrored at the ends of their ranges until they are inside."""
    width = np.maximum(high - low, 1e-300)
    place = np.mod(values - low, 2 * width)
    out: Array = low + np.where(place > width, 2 * width - place, place)
    return np.where(high > low, out, low)
