"""Do the chains agree, and how many independent draws are theirs worth?

Both work on ranks, so that a channel that sometimes has no effect is judged like any other
(Vehtari et al. 2021, "Rank-normalization, folding, and localization: an improved R-hat").
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from job.posterior.market import Array

DOUBTFUL_R_HAT = 1.1


def r_hat(values: Array) -> Array:
    """Return R-hat of middle and spread, the larger of both, of shape (quantities,).

    Args:
        values: of shape (draws, chains, quantities).
    """
    parts = _halves(values)
    folded = np.abs(parts - np.median(parts, axis=(0, 1)))
    out: Array = np.maximum(_split(_normal_scores(parts)), _split(_normal_scores(folded)))
    return out


def effective_draws(values: Array) -> Array:
    """Return how many independent draws tell as much about the middle, of shape (quantities,).

    Args:
        values: of shape (draws, chains, quantities).
    """
    scores = _normal_scores(_halves(values))
    length, chains = scores.shape[:2]
    centred = scores - scores.mean(0)
    # The products of a series with itself, one lag after another, by a Fourier transform.
    spectrum = np.fft.rfft(centred, 2 * length, axis=0)
    products = np.fft.irfft(np.abs(spectrum) ** 2, axis=0)[:length] / length
    within = np.maximum(products[0].mean(0) * length / (length - 1), 1e-300)
    all_ = within * (length - 1) / length + scores.mean(0).var(0, ddof=1)
    correlations = 1 - (within - products.mean(1)) / np.maximum(all_, 1e-300)
    pairs = correlations[: length // 2 * 2].reshape(length // 2, 2, -1).sum(1)
    # Sums of two lags are positive and fall (Geyer 1992); the rest is noise.
    pairs = np.where(np.cumprod(pairs > 0, axis=0), np.minimum.accumulate(pairs, axis=0), 0.0)
    times = np.maximum(2 * pairs.sum(0) - 1, 1 / np.log10(length * chains))
    out: Array = length * chains / times
    return out


def _halves(values: Array) -> Array:
    half = len(values) // 2
    return np.concatenate([values[:half], values[half : 2 * half]], axis=1)


def _normal_scores(parts: Array) -> Array:
    """Return the normal quantiles of the ranks among all draws of a quantity; ties share a rank."""
    draws, chains, quantities = parts.shape
    ranks = pd.DataFrame(parts.reshape(-1, quantities)).rank().to_numpy()
    count = draws * chains
    # Ranks are whole numbers and halves: one table serves all.
    halves = np.arange(2, 2 * count + 1) / 2
    scores = np.array([NormalDist().inv_cdf((k - 0.375) / (count + 0.25)) for k in halves])
    out: Array = scores[np.rint(2 * ranks).astype(int) - 2].reshape(parts.shape)
    return out


def _split(parts: Array) -> Array:
    length = len(parts)
    within = parts.var(0, ddof=1).mean(0)
    between = parts.mean(0).var(0, ddof=1)
    out: Array = np.sqrt((length - 1) / length + between / np.maximum(within, 1e-12))
    return out
