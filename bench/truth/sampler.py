"""Our steps against a well-kept sampler, on the same density: `python -m bench.truth.sampler`.

NumPyro's NUTS needs a density without discrete parts, so this bench leaves out delays and channels
without effect. Both draw from the same markets; the page has effective draws for each CPU second,
of the channel that mixes worst, and how far medians and interval ends differ. Writes sampler.json
and sampler.md next to this file.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from bench.machine import in_words, machine
from bench.truth.methods import PACKAGES, ROOT, measure
from bench.truth.worlds import WORLDS, make_world
from job.posterior import chains, memory
from job.posterior.baseline import AUTOCORRELATIONS, Projection, make_baseline
from job.posterior.convergence import effective_draws, r_hat
from job.posterior.draws import draw
from job.posterior.market import Array
from job.posterior.media import make_media
from job.posterior.priors import Priors, ScalePriors

HERE = Path(__file__).parent
NO_DELAY = (1 - 2e-9, 1e-9, 1e-9)
PRIORS = Priors(no_effect=0.0)
NUTS_CHAINS = 4
SAMPLERS = ("our steps", "NumPyro NUTS")


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=["wide", "twins"])
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--draw", nargs=2, metavar=("DENSITY", "OUT"), help="internal: our draws")
    options = parser.parse_args()
    if options.draw:
        world, out = options.draw
        np.save(out, our_draws(world, options.seed))
        return 0
    rows = [row for world in options.worlds for row in compare(world, options.seed)]
    result = {"rows": rows, "machine": machine()}
    (HERE / "sampler.json").write_text(json.dumps(result, indent=1) + "\n")
    text = in_markdown(result)
    (HERE / "sampler.md").write_text(text)
    print(text)
    return 0


def our_draws(world: str, seed: int) -> Array:
    """Return shares of the target from our chains, of shape (draws, chains, media)."""
    with (
        patch.object(chains, "DELAY_PROBABILITIES", NO_DELAY),
        patch.object(memory, "DELAY_PROBABILITIES", NO_DELAY),
    ):
        return draw(make_world(world, seed).data, seed=seed, priors=PRIORS).share


def save_density(world: str, seed: int, path: Path) -> None:
    """Write all that the density is made of."""
    market = make_world(world, seed).data
    media, projection = make_media(market), Projection(make_baseline(market, PRIORS))
    np.savez(
        path,
        low=media.low,
        high=media.high,
        lagged=media.lagged,
        total=media.total,
        target=market.target,
        typical=ScalePriors(market, PRIORS).typical,
        autocorrelations=AUTOCORRELATIONS,
        basis=projection.basis,
        weight=projection.weight,
        freedom=projection.freedom,
        roas_level=PRIORS.roas_level,
        roas_spread=PRIORS.roas_spread,
        media_share=PRIORS.media_share,
        seed=seed,
    )


def compare(world: str, seed: int) -> list[dict[str, Any]]:
    """Draw with both samplers; return a row for each."""
    with tempfile.TemporaryDirectory(prefix="bench-sampler-") as name:
        folder = Path(name)
        density, ours, theirs = (folder / part for part in ("density.npz", "ours.npy", "nuts.npy"))
        save_density(world, seed, density)
        me = ["-m", "bench.truth.sampler", "--seed", seed, "--draw", world, ours]
        used = [measure([sys.executable, *me], folder)]
        nuts = [ROOT / ".venv-numpyro" / "bin" / "python", PACKAGES / "with_numpyro.py"]
        used.append(measure([*nuts, density, theirs, NUTS_CHAINS], folder))
        drawn = [np.load(ours), np.load(theirs)]
    reference = np.percentile(drawn[1], [5, 50, 95], axis=(0, 1))
    width = float((reference[2] - reference[0]).mean())
    rows = []
    for sampler, share, cost in zip(SAMPLERS, drawn, used, strict=True):
        effective, agreement = effective_draws(share), r_hat(share)
        found = np.percentile(share, [5, 50, 95], axis=(0, 1))
        rows.append(
            {
                "world": world,
                "sampler": sampler,
                "channels": share.shape[2],
                "cpu_seconds": cost["cpu_seconds"],
                "effective": round(float(effective.min()), 0),
                "per_second": round(float(effective.min()) / cost["cpu_seconds"], 1),
                "r_hat": round(float(agreement.max()), 3),
                "difference": round(float(np.abs(found - reference).mean()) / width, 3),
            }
        )
    return rows


def in_markdown(result: dict[str, Any]) -> str:
    """Return the result as a short Markdown page."""
    lines = [
        "# Our steps and a library's sampler, on the same density",
        "",
        f"Our steps are those of every run; NUTS has {NUTS_CHAINS} chains of 500 draws after 500 "
        "of warm-up. CPU seconds are of the whole process, with compilation. *Effective draws* are "
        "of the channel that mixes worst. *Difference*: of medians and ends of 90% intervals from "
        "those of NUTS, as a share of the mean width.",
        "",
        "| world | channels | sampler | CPU s | effective draws | per CPU s | worst R-hat "
        "| difference |",
        f"|---|--:|---{'|--:' * 5}|",
    ]
    for row in result["rows"]:
        cells = (
            row["world"], row["channels"], row["sampler"], f"{row['cpu_seconds']:.0f}",
            f"{row['effective']:.0f}", f"{row['per_second']:.1f}", f"{row['r_hat']:.2f}",
            f"{row['difference']:.3f}",
        )  # fmt: skip
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join([*lines, "", f"Machine: {in_words(result['machine'])}.", ""])


if __name__ == "__main__":
    sys.exit(main())
