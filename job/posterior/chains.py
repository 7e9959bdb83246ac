"""Chains of draws: Metropolis steps for all chains at once, with the baseline integrated out.

A chain's state is each medium's scale (the logarithm of its share of the target, relative to a
typical one), its parameters, its delay and whether it has an effect, and the autocorrelation of the
noise. Given those, baseline and noise level are integrated out: the likelihood depends on the sum
of squares alone. Steps work on several chains side by side, because one numpy call for all of them
costs about as much as for one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from job.posterior.baseline import AUTOCORRELATIONS, Projection, whiten
from job.posterior.lift import LiftTests
from job.posterior.market import Array, MarketData
from job.posterior.media import DELAY_PROBABILITIES, DELAYS, Media, Whole
from job.posterior.priors import Priors, ScalePriors, log_prior_of_total

_FIRST_SHARE = 0.8  # the largest share of the target that paid media bring at the start
Flags = npt.NDArray[np.bool_]


@dataclass
class State:
    """Where every chain stands; the first axis of each array is the chain.

    `scale`, `on` and `delay` have the shape (chains, media), `parameters` (chains, media,
    parameters), and the others (chains,).
    """

    scale: Array
    parameters: Array
    delay: Whole
    on: Flags
    level: Array
    spread: Array
    phi: Whole


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Parameters and delay of one medium, with what follows from them, for every chain.

    Attributes:
        raw: the response column, of shape (chains, periods).
        whitened: the same, whitened.
        inside: its coefficients in the baseline's basis, of shape (chains, columns).
        tested: what a share of 1 adds to each lift test, of shape (chains, tests).
    """

    parameters: Array
    delay: Whole
    raw: Array
    whitened: Array
    inside: Array
    tested: Array

    def where(self, mine: Flags, other: Shape) -> Shape:
        """Return this shape in the chains of `mine`, and the other one in the others."""

        def either(name: str) -> Any:
            one = getattr(self, name)
            return np.where(mine.reshape(-1, *[1] * (one.ndim - 1)), one, getattr(other, name))

        return Shape(**{one.name: either(one.name) for one in fields(self)})


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What is left of the target without one medium, for every chain.

    Attributes:
        residual: whitened, of shape (chains, periods).
        inside: its coefficients in the baseline's basis, of shape (chains, columns).
        squares: its sum of squares without the baseline, of shape (chains,).
        predicted: the lifts that the other media predict, of shape (chains, tests).
    """

    residual: Array
    inside: Array
    squares: Array
    predicted: Array


class Chains:
    """The model's density at the state of every chain, kept up to date step by step.

    Attributes:
        state: where the chains stand.
        response: whitened response columns, of shape (chains, media, periods).
        inside: their coefficients in the baseline's basis, of shape (chains, media, columns).
        tested: what a share of 1 adds to each lift test, of shape (chains, media, tests).
        squares: the sum of squares of the residual, of shape (chains,).
        predicted: the lifts that the chains predict, of shape (chains, tests).
        scales: the priors of the scales.
        power: of the likelihood: below 1, chains leave local modes, as they must before any draw.
    """

    def __init__(
        self,
        market: MarketData,
        media: Media,
        projection: Projection,
        priors: Priors,
        *,
        chains: int,
        random: np.random.Generator,
        count_tests: bool = True,
    ) -> None:
        self.market, self.media, self.priors, self.random = market, media, priors, random
        self.projection, self.chains = projection, chains
        self.power = 1.0
        self._all = np.arange(chains)
        self.scales = ScalePriors(market, priors)
        self.typical, self.log_typical = self.scales.typical, np.log(self.scales.typical)
        self.tests = LiftTests(market, media, count=count_tests)
        targets = [whiten(market.target, float(phi)) for phi in AUTOCORRELATIONS]
        self._target = np.array(targets)
        self._target_inside = np.einsum("at,atc->ac", self._target, projection.basis)
        self.state = self._first_state()
        self._raw = np.stack([self.column(medium) for medium in range(market.media)], axis=1)
        self._basis = projection.basis[self.state.phi]
        self.response, self.inside = self._project(self._raw, self.state.phi, self._basis)
        self.tested = np.stack(
            [
                self.tests.per_share(
                    medium,
                    self.state.parameters[:, medium],
                    self.state.delay[:, medium],
                    self._raw[:, medium],
                )
                for medium in range(market.media)
            ],
            axis=1,
        )
        self._residuals()

    def _first_state(self) -> State:
        """Return a state drawn from the priors, without effects that are far too large."""
        random, chains, market = self.random, self.chains, self.market
        level, spread = random.normal(0, self.priors.roas_level, chains), np.full(chains, 0.5)
        middle, width = self.scales.middle(level), self.scales.spread(spread)
        scale = middle + width * random.standard_normal((chains, market.media))
        scale = np.where(self.scales.is_common, np.minimum(scale, 0.7), scale)
        # A total that the priors exclude would never be left.
        total = (self.typical * np.exp(scale))[:, : market.paid].sum(1, keepdims=True)
        scale[:, : market.paid] += np.log(np.minimum(1, _FIRST_SHARE / total))
        return State(
            scale=scale,
            parameters=self.fresh_parameters(slice(None)),
            delay=self.fresh_delay((chains, market.media)),
            on=np.ones((chains, market.media), dtype=bool),
            level=level,
            spread=spread,
            phi=random.integers(0, 5, chains),
        )

    def fresh_parameters(self, medium: int | slice) -> Array:
        """Return parameters of a medium, or of all, drawn from their ranges."""
        low, high = self.media.low[medium], self.media.high[medium]
        drawn: Array = low + (high - low) * self.random.random((self.chains, *low.shape))
        return drawn

    def fresh_delay(self, shape: int | tuple[int, ...]) -> Whole:
        """Return delays drawn from their prior; 0 for a carry-over that is not geometric."""
        if self.media.adstock != "geometric":
            return np.zeros(shape, dtype=np.int64)
        drawn = np.searchsorted(np.cumsum(DELAY_PROBABILITIES[:-1]), self.random.random(shape))
        return np.asarray(DELAYS)[drawn]

    # -- the density

    def column(self, medium: int) -> Array:
        """Return the response column of a medium, of shape (chains, periods)."""
        return self.media.response(
            medium, self.state.parameters[:, medium], self.state.delay[:, medium]
        )

    def shape(self, medium: int, parameters: Array, delay: Whole) -> Shape:
        """Return what follows from a medium's parameters, of shape (chains, parameters)."""
        raw = self.media.response(medium, parameters, delay)
        whitened = whiten(raw, AUTOCORRELATIONS[self.state.phi])
        return Shape(
            parameters=parameters,
            delay=delay,
            raw=raw,
            whitened=whitened,
            inside=np.matmul(whitened[:, None, :], self._basis)[:, 0],
            tested=self.tests.per_share(medium, parameters, delay, raw),
        )

    def present(self, medium: int) -> Shape:
        """Return the present shape of a medium."""
        return Shape(
            parameters=self.state.parameters[:, medium],
            delay=self.state.delay[:, medium],
            raw=self._raw[:, medium],
            whitened=self.response[:, medium],
            inside=self.inside[:, medium],
            tested=self.tested[:, medium],
        )

    def shares(self) -> Array:
        """Return every medium's share of the target, of shape (chains, media)."""
        out: Array = self.typical * np.exp(self.state.scale) * self.state.on
        return out

    def _project(self, columns: Array, phi: Whole, basis: Array) -> tuple[Array, Array]:
        whitened = whiten(columns, AUTOCORRELATIONS[phi][:, None])
        return whitened, np.matmul(whitened, basis)

    def _residuals(self) -> None:
        """Compute the residual anew, which removes rounding errors."""
        shares, phi = self.shares(), self.state.phi
        self.residual = self._target[phi] - np.einsum("cm,cmt->ct", shares, self.response)
        self.residual_inside = self._target_inside[phi] - np.einsum(
            "cm,cmk->ck", shares, self.inside
        )
        self.squares = _square(self.residual, self.residual_inside)
        self.predicted = np.einsum("cm,cmk->ck", shares, self.tested)

    def without(self, medium: int) -> Rest:
        """Return what is left without one medium's effect."""
        share = self.shares()[:, medium][:, None]
        residual = self.residual + share * self.response[:, medium]
        inside = self.residual_inside + share * self.inside[:, medium]
        predicted = self.predicted - share * self.tested[:, medium]
        return Rest(
            residual=residual,
            inside=inside,
            squares=_square(residual, inside),
            predicted=predicted,
        )

    def likelihood(self, squares: Array, predicted: Array) -> Array:
        """Return the logarithm of the likelihood for sums of squares and predicted lifts.

        The noise level is integrated out.
        """
        out: Array = -0.5 * self.freedom * np.log(np.maximum(squares, 1e-300))
        return out + self.power * self.tests.log_likelihood(predicted)

    @property
    def freedom(self) -> float:
        """Return the degrees of freedom that the likelihood counts."""
        return self.power * self.projection.freedom

    def prior_of_scale(self, medium: int, scale: Array) -> Array:
        """Return the logarithm of the prior density of a medium's scale."""
        middle, spread = self.scale_prior(medium)
        out: Array = -0.5 * ((scale - middle) / spread) ** 2
        return out

    def scale_prior(self, medium: int) -> tuple[Array, Array]:
        """Return mean and standard deviation of the prior of a medium's scale."""
        middle, spread = self.scales.middle(self.state.level), self.scales.spread(self.state.spread)
        return middle[:, medium], spread[:, medium]

    def prior_of_total(self, shares: Array) -> Array:
        """Return the logarithm of the prior density of the share of all paid media."""
        return log_prior_of_total(shares[:, : self.market.paid], self.priors)

    # -- changes

    def accept(self, ratio: Array) -> Flags:
        """Return in which chains a step with this logarithm of the ratio is taken."""
        taken: Flags = np.log(self.random.random(self.chains)) < ratio
        return taken

    def set_scales(self, taken: Flags, scale: Array) -> None:
        """Take scales, of shape (chains, media), in some chains; `settle` must follow."""
        self.state.scale[taken] = scale[taken]

    def settle(self) -> None:
        """Bring the residual up to date after changes of scales."""
        self._residuals()

    def set_medium(
        self,
        medium: int,
        taken: Flags,
        rest: Rest,
        *,
        scale: Array,
        shape: Shape | None = None,
        on: Flags | None = None,
    ) -> None:
        """Take a medium's new scale, and its new shape if there is one, in some chains.

        `rest` is without the medium.
        """
        if not taken.any():
            return
        self.state.scale[taken, medium] = scale[taken]
        if on is not None:
            self.state.on[taken, medium] = on[taken]
        if shape is not None:
            self.state.parameters[taken, medium] = shape.parameters[taken]
            self.state.delay[taken, medium] = shape.delay[taken]
            self._raw[taken, medium] = shape.raw[taken]
            self.response[taken, medium] = shape.whitened[taken]
            self.inside[taken, medium] = shape.inside[taken]
            self.tested[taken, medium] = shape.tested[taken]
        share = self.shares()[:, medium][:, None]
        fresh = rest.residual - share * self.response[:, medium]
        fresh_inside = rest.inside - share * self.inside[:, medium]
        predicted = rest.predicted + share * self.tested[:, medium]
        self.residual[taken] = fresh[taken]
        self.residual_inside[taken] = fresh_inside[taken]
        self.predicted[taken] = predicted[taken]
        self.squares = _square(self.residual, self.residual_inside)

    def gram(self) -> tuple[Array, Array, Array]:
        """Return products of the responses, with the target, and of the target with itself."""
        phi = self.state.phi
        swapped = self.response.transpose(0, 2, 1)
        products = np.matmul(self.response, swapped) - np.matmul(
            self.inside, self.inside.transpose(0, 2, 1)
        )
        with_target = np.einsum("cmt,ct->cm", self.response, self._target[phi]) - np.einsum(
            "cmk,ck->cm", self.inside, self._target_inside[phi]
        )
        return products, with_target, _square(self._target[phi], self._target_inside[phi])

    def try_autocorrelation(self) -> None:
        """Propose a near autocorrelation of the noise."""
        step = self.random.integers(1, 3, self.chains) * self.random.choice((-1, 1), self.chains)
        phi = self.state.phi + step
        inside_grid = (phi >= 0) & (phi < len(AUTOCORRELATIONS))
        phi = np.where(inside_grid, phi, self.state.phi)
        basis = self.projection.basis[phi]
        response, inside = self._project(self._raw, phi, basis)
        shares = self.shares()
        squares = _square(
            self._target[phi] - np.einsum("cm,cmt->ct", shares, response),
            self._target_inside[phi] - np.einsum("cm,cmk->ck", shares, inside),
        )
        weight = self.power * self.projection.weight
        # The lifts that the chains predict do not depend on the noise.
        ratio = self.likelihood(squares, self.predicted) + weight[phi]
        ratio -= self.likelihood(self.squares, self.predicted) + weight[self.state.phi]
        taken = self.accept(np.where(inside_grid, ratio, -np.inf))
        self.state.phi[taken] = phi[taken]
        self.response[taken], self.inside[taken] = response[taken], inside[taken]
        self._basis = self.projection.basis[self.state.phi]
        self._residuals()


def dot(left: Array, right: Array) -> Array:
    """Return the products of the rows of two arrays, of shape (chains,)."""
    out: Array = np.einsum("ct,ct->c", left, right)
    return out


def _square(whitened: Array, inside: Array) -> Array:
    return dot(whitened, whitened) - dot(inside, inside)
