"""NumPyro's NUTS on the posterior's density: `python with_numpyro.py DENSITY.npz OUT.npy CHAINS`.

The density is that of `job/posterior/chains.py` without its discrete parts: no delays, every
channel has an effect, and the autocorrelation of the noise is summed out over its grid.
"""

from __future__ import annotations

import sys

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.infer import MCMC, NUTS

WARMUP, DRAWS = 500, 500


def main(density_file: str, out: str, chains: str) -> None:
    """Write shares of the target, of shape (draws, chains, media)."""
    jax.config.update("jax_enable_x64", True)
    with np.load(density_file, allow_pickle=False) as file:
        given = {name: jnp.asarray(file[name]) for name in file.files}
    media, parameters = given["low"].shape
    lags = jnp.arange(given["lagged"].shape[1])
    size = media * (parameters + 1) + 2

    def parts(z: jax.Array) -> tuple[jax.Array, ...]:
        unit = jax.nn.sigmoid(z[: media * parameters]).reshape(media, parameters)
        values = given["low"] + (given["high"] - given["low"]) * unit
        standard = z[media * parameters : -2]
        level, spread = z[-2] * given["roas_level"], jnp.exp(z[-1])
        jacobian = jnp.sum(jnp.log(unit) + jnp.log1p(-unit)) + z[-1]
        return values, level + spread * standard, standard, spread, jacobian

    def potential(z: jax.Array) -> jax.Array:
        values, scale, standard, spread, jacobian = parts(z)
        weights = values[:, :1] ** lags
        adstocked = jnp.einsum("ml,mlt->mt", weights, given["lagged"])
        ratio = adstocked / adstocked.max(1, keepdims=True)
        logarithm = jnp.log(jnp.maximum(ratio, 1e-12)) - values[:, 2:]
        saturated = jax.nn.sigmoid(values[:, 1:2] * logarithm)
        columns = saturated * (given["total"] / saturated.sum(1, keepdims=True))
        share = given["typical"] * jnp.exp(scale)
        rest = given["target"] - share @ columns
        phi = given["autocorrelations"]
        first = rest[0] * jnp.sqrt(1 - phi**2)
        whitened = jnp.concatenate([first[:, None], rest[1:] - phi[:, None] * rest[:-1]], axis=1)
        inside = jnp.einsum("at,atc->ac", whitened, given["basis"])
        squares = (whitened**2).sum(1) - (inside**2).sum(1)
        fit = jax.scipy.special.logsumexp(
            -0.5 * given["freedom"] * jnp.log(squares) + given["weight"]
        )
        total = share.sum()
        prior = -0.5 * (standard**2).sum() - 0.5 * z[-2] ** 2
        prior += -0.5 * (spread / given["roas_spread"]) ** 2
        prior += jnp.where(total < 0.9, -0.5 * (total / given["media_share"]) ** 2, -jnp.inf)
        return -(fit + prior + jacobian)

    number = int(chains)
    start = np.random.default_rng(int(given["seed"])).normal(0, 0.5, (number, size))
    start[:, media * parameters : -2] -= 1  # small effects, which the prior of the total allows
    mcmc = MCMC(
        NUTS(potential_fn=potential),
        num_warmup=WARMUP,
        num_samples=DRAWS,
        num_chains=number,
        chain_method="sequential",
        progress_bar=False,
    )
    mcmc.run(jax.random.PRNGKey(int(given["seed"])), init_params=jnp.asarray(start))
    z = mcmc.get_samples(group_by_chain=True)
    scale = jax.vmap(jax.vmap(lambda one: parts(one)[1]))(z)
    np.save(out, np.asarray(given["typical"] * jnp.exp(scale)).transpose(1, 0, 2))


if __name__ == "__main__":
    main(*sys.argv[1:])
