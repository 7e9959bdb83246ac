"""Chains of draws: Metropolis steps for all chains at once, with the baseline integrated out.

A chain's state is each medium's scale (the logarithm of its share of the target, relative to a
typical one), its parameters, its delay and whether it has an effect, and the autocorrelation of the
noise. Given those, baseline and noise level are integrated out: the likelihood depends on the sum
of squares alone. Steps work on several chains side by side, because one numpy call for all of them
costs about as much as for one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from job.posterior.baseline import AUTOCORRELATIONS, Projection, whiten
from job.posterior.market import Array, MarketData, Priors
from job.posterior.media import DELAY_PROBABILITIES, DELAYS, Media, Whole

Flags = npt.NDArray[np.bool_]
_ORGANIC_SHARE, _ORGANIC_LEVEL, _ORGANIC_SPREAD = 0.1, -1.5, 1.0
_MOST_SHARE = 0.9  # the largest share of the target that paid media may bring together


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


class Chains:
    """The model's density at the state of every chain, kept up to date step by step.

    Attributes:
        state: where the chains stand.
        response: whitened response columns, of shape (chains, media, periods).
        inside: their coefficients in the baseline's basis, of shape (chains, media, columns).
        typical: the share of the target of a medium with the typical ROAS.
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
    ) -> None:
        self.market, self.media, self.priors, self.random = market, media, priors, random
        self.projection, self.chains = projection, chains
        self.power = 1.0
        self._all = np.arange(chains)
        spend = market.spend.sum(1)
        self.typical = np.concatenate(
            [
                priors.typical_share * spend / spend.sum(),
                np.full(market.media - market.paid, _ORGANIC_SHARE),
            ]
        )
        self.log_typical = np.log(self.typical)
        targets = [whiten(market.target, float(phi)) for phi in AUTOCORRELATIONS]
        self._target = np.array(targets)
        self._target_inside = np.einsum("at,atc->ac", self._target, projection.basis)
        self.state = self._first_state()
        self._raw = np.stack([self.column(medium) for medium in range(market.media)], axis=1)
        self._basis = projection.basis[self.state.phi]
        self.response, self.inside = self._project(self._raw, self.state.phi, self._basis)
        self._residuals()

    def _first_state(self) -> State:
        """Return a state drawn from the priors, without effects that are far too large."""
        random, chains, market = self.random, self.chains, self.market
        level = random.normal(0, self.priors.roas_level, chains)
        scale = level[:, None] + random.normal(0, 0.5, (chains, market.media))
        scale[:, market.paid :] = random.normal(
            _ORGANIC_LEVEL, _ORGANIC_SPREAD, (chains, market.media - market.paid)
        )
        return State(
            scale=np.minimum(scale, 0.7),
            parameters=self.fresh_parameters(slice(None)),
            delay=self.fresh_delay((chains, market.media)),
            on=np.ones((chains, market.media), dtype=bool),
            level=level,
            spread=np.full(chains, 0.5),
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

    def column(
        self, medium: int, parameters: Array | None = None, delay: Whole | None = None
    ) -> Array:
        """Return the response column of a medium, of shape (chains, periods)."""
        parameters = self.state.parameters[:, medium] if parameters is None else parameters
        delay = self.state.delay[:, medium] if delay is None else delay
        return self.media.response(medium, parameters, delay)

    def shares(self) -> Array:
        """Return every medium's share of the target, of shape (chains, media)."""
        out: Array = self.typical * np.exp(self.state.scale) * self.state.on
        return out

    def project(self, column: Array) -> tuple[Array, Array]:
        """Return a column whitened, and its coefficients in the baseline's basis."""
        whitened = whiten(column, AUTOCORRELATIONS[self.state.phi])
        return whitened, np.matmul(whitened[:, None, :], self._basis)[:, 0]

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

    def without(self, medium: int) -> tuple[Array, Array, Array]:
        """Return residual, its coefficients and sum of squares without one medium's effect."""
        share = self.shares()[:, medium][:, None]
        residual = self.residual + share * self.response[:, medium]
        inside = self.residual_inside + share * self.inside[:, medium]
        return residual, inside, _square(residual, inside)

    def likelihood(self, squares: Array) -> Array:
        """Return the logarithm of the likelihood for sums of squares; noise is integrated out."""
        out: Array = -0.5 * self.freedom * np.log(np.maximum(squares, 1e-300))
        return out

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
        if medium < self.market.paid:
            return self.state.level, self.state.spread
        ones = np.ones(self.chains)
        return _ORGANIC_LEVEL * ones, _ORGANIC_SPREAD * ones

    def prior_of_total(self, shares: Array) -> Array:
        """Return the logarithm of the prior density of the share of all paid media."""
        total = shares[:, : self.market.paid].sum(1)
        out: Array = np.where(
            total < _MOST_SHARE, -0.5 * (total / self.priors.media_share) ** 2, -np.inf
        )
        return out

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
        *,
        scale: Array,
        residual: Array,
        inside: Array,
        shape: tuple[Array, Whole, Array, Array, Array] | None = None,
        on: Flags | None = None,
    ) -> None:
        """Take a medium's new scale, and its new shape if there is one, in some chains.

        `residual` and `inside` are without the medium. `shape` has parameters, delay, column,
        whitened column and coefficients in the basis.
        """
        if not taken.any():
            return
        self.state.scale[taken, medium] = scale[taken]
        if on is not None:
            self.state.on[taken, medium] = on[taken]
        if shape is not None:
            parameters, delay, raw, whitened, coefficients = shape
            self.state.parameters[taken, medium] = parameters[taken]
            self.state.delay[taken, medium] = delay[taken]
            self._raw[taken, medium] = raw[taken]
            self.response[taken, medium] = whitened[taken]
            self.inside[taken, medium] = coefficients[taken]
        share = self.shares()[:, medium][:, None]
        fresh = residual - share * self.response[:, medium]
        fresh_inside = inside - share * self.inside[:, medium]
        self.residual[taken] = fresh[taken]
        self.residual_inside[taken] = fresh_inside[taken]
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
        ratio = self.likelihood(squares) + weight[phi]
        ratio -= self.likelihood(self.squares) + weight[self.state.phi]
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
