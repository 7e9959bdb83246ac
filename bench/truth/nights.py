"""What does a night notice? `python -m bench.truth.nights`.

Example markets pass through the decisions of a run after each of their last 40 weeks, as they do
every night.

*Held*: the posterior is drawn again after each week and compared with the run that was accepted
last (`promotion`). Nothing changes in these markets, so each run that is held is a false alarm. To
see what the comparison notices, the effect of each channel in turn falls by 30%, six weeks before
a run is compared with the run before the change.

*Found*: the check `recent_change` of the verdict looks at the last weeks of the data. Without a
change, each finding is a false alarm. Then the effect of one channel, or of all of them, falls or
rises by 30% from one week on: is it found in one of the next six runs? The media's shapes are
those of one posterior, of the data before the 40 weeks.

*Known*: the t-value of the change for somebody who knows the market, the responses and the noise,
and asks only whether this channel has changed in these six weeks. No method can find more than the
data hold.

Runs are also held for the verdict FAIL, which these markets never have. Results that exist are
kept. Writes nights.jsonl and nights.md next to this file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import in_words, machine
from bench.truth.worlds import World, make_world
from contract.limits import Promotion
from contract.verdict import VerdictThresholds
from job.gate.wording import quantity
from job.outputs.drift import beyond, compare
from job.posterior.draws import SWEEPS, Draws, draw
from job.posterior.market import Array, MarketData
from job.posterior.media import make_media
from job.posterior.priors import Priors
from job.posterior.summary import chosen_draws
from job.posterior.validation import first_periods
from job.verdict.breaks import recent_change
from mmm.stability import changes_of, metrics_at, walk

HERE = Path(__file__).parent
SEED = 123
NIGHTS, NOTICE = 40, 6  # runs of a market; runs in which a change should be found
FACTORS = (0.7, 1.3)  # what an effect is multiplied by
STARTS = (5, 11, 17, 23, 29)  # runs that see a change first
LEAST_SHARE, LEAST_KNOWN = 0.08, 4.0
TOGETHER = "all channels at once"
_SHAPES = 100  # draws that a medium's contribution is the mean of


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markets", type=int, default=24, help="markets to look for changes in")
    parser.add_argument("--nightly", type=int, default=1, help="markets drawn after each week")
    parser.add_argument("--first", type=int, default=300, help="the first seed")
    options = parser.parse_args()
    file = HERE / "nights.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(row["seed"], row["kind"]) for row in rows}
    for kind, make, markets in (
        ("found", found_rows, options.markets),
        ("together", together_rows, options.markets),
        ("held", held_rows, options.nightly),
    ):
        for seed in range(options.first, options.first + markets):
            if (seed, kind) in done:
                continue
            new = [{"kind": kind, "seed": seed, **row} for row in make(seed)]
            rows += new
            with file.open("a") as out:
                out.writelines(json.dumps(row) + "\n" for row in new)
            print(f"{kind}, seed {seed}: done", flush=True)
    text = in_markdown(rows)
    (HERE / "nights.md").write_text(text)
    print(text)
    return 0


def held_rows(seed: int) -> Iterator[dict[str, Any]]:
    """Yield a row for each night without a change, and for one change of each channel."""
    world = make_world("example", seed)
    numbers = range(world.data.periods - NIGHTS, world.data.periods + 1)
    nights = {number: _metrics(world.data, number) for number in numbers}
    steps = walk(list(nights.values()), Promotion(), measure="ROAS")
    for number, step in zip(numbers[1:], steps, strict=True):
        yield {
            "channel": None,
            "periods": number,
            "held": bool(step.reasons),
            "changes": [round(change, 4) for change in changes_of(step).values()],
        }
    for channel, start in zip(world.data.names[: world.data.paid], STARTS[1:], strict=True):
        first = numbers[start]
        after = _metrics(_changed(world, [channel], FACTORS[0], first - 1), first + NOTICE - 1)
        reasons = list(beyond(compare(nights[first - 1], after), Promotion(), measure="ROAS"))
        yield {"channel": channel, "periods": first, "held": bool(reasons), "changes": []}


def found_rows(seed: int) -> Iterator[dict[str, Any]]:
    """Yield the score of each night without a change, and those of the nights after each change."""
    world = make_world("example", seed)
    numbers, media = _nights(world)
    for number in numbers[1:]:
        yield {"channel": None, "periods": number, "scores": [_score(world.data, media, number)]}
    for channel in world.data.names[: world.data.paid]:
        for factor in FACTORS:
            for start in STARTS:
                found = _after(world, media, [channel], factor, numbers[start:])
                yield {"channel": channel, **found}


def together_rows(seed: int) -> Iterator[dict[str, Any]]:
    """Yield the scores of the nights after the effect of every channel changes at once."""
    world = make_world("example", seed)
    numbers, media = _nights(world)
    everything = world.data.names[: world.data.paid]
    for factor in FACTORS:
        for start in STARTS:
            found = _after(world, media, everything, factor, numbers[start:])
            yield {"channel": TOGETHER, **found}


def _nights(world: World) -> tuple[range, dict[str, Array]]:
    """Return the periods that each night knows, and each medium's contribution."""
    market = world.data
    numbers = range(market.periods - NIGHTS, market.periods + 1)
    before = first_periods(market, numbers[0])
    draws = draw(before, seed=SEED, priors=Priors(), sweeps=SWEEPS)
    return numbers, contributions(draws, before, market)


def _after(
    world: World,
    media: Mapping[str, Array],
    channels: Sequence[str],
    factor: float,
    numbers: Sequence[int],
) -> dict[str, Any]:
    """Return the scores of the first nights that see a change of some channels' effects."""
    began = numbers[0] - 1
    market = _changed(world, channels, factor, began)
    week = slice(began, began + NOTICE)
    effect = np.sum([world.parts[channel][week] for channel in channels], axis=0)
    known = (1 - factor) * np.sqrt((effect**2).sum()) / world.parts["noise"].std()
    return {
        "periods": numbers[0],
        "factor": factor,
        "share": round(float(effect.sum() / world.data.target[week].sum()), 4),
        "known": round(abs(float(known)), 3),
        "scores": [_score(market, media, number) for number in numbers[:NOTICE]],
    }


def contributions(draws: Draws, before: MarketData, market: MarketData) -> dict[str, Array]:
    """Return what each medium brings in each period of a market, as draws of its past say."""
    chosen, media = chosen_draws(draws, most=_SHAPES), make_media(market)
    share = draws.share.reshape(-1, market.media)[chosen]
    parameters = draws.parameters.reshape(-1, *draws.parameters.shape[2:])[chosen]
    delay = draws.delay.reshape(-1, market.media)[chosen]
    found = {}
    for medium, name in enumerate(market.names):
        response = media.saturation(
            medium, parameters[:, medium], delay[:, medium], known=before.periods
        )
        past = np.maximum(response[:, : before.periods].sum(1, keepdims=True), 1e-300)
        found[name] = (share[:, [medium]] * before.target.sum() * response / past).mean(0)
    return found


def _metrics(market: MarketData, periods: int) -> Any:
    return metrics_at(periods, market=market, priors=Priors(), seed=SEED, sweeps=SWEEPS)


def _changed(world: World, channels: Sequence[str], factor: float, began: int) -> MarketData:
    """Return a market in which the effect of some channels is another one from a period on."""
    effect = np.sum([world.parts[channel] for channel in channels], axis=0)
    effect = effect * (np.arange(world.data.periods) >= began)
    return replace(world.data, target=world.data.target + (factor - 1) * effect)


def _score(market: MarketData, media: Mapping[str, Array], periods: int) -> float:
    seen = first_periods(market, periods)
    found = recent_change(seen, {name: values[:periods] for name, values in media.items()})
    return round(found.score, 3) if found else 0.0


def in_markdown(rows: list[dict[str, Any]]) -> str:
    """Return the result as a short Markdown page."""
    limit = VerdictThresholds().max_recent_score
    held = [row for row in rows if row["kind"] == "held"]
    nights = [row for row in held if row["channel"] is None]
    changes = [change for row in nights for change in row["changes"]]
    found = [row for row in rows if row["kind"] == "found"]
    quiet = [row for row in found if row["channel"] is None]
    changed = [row for row in found if row["channel"] is not None]
    together = [row for row in rows if row["kind"] == "together"]
    lines = [
        "# What does a night notice?",
        "",
        f"Without a change, {_markets(nights)} and {len(nights)} runs: "
        f"{sum(row['held'] for row in nights)} are held. The median change of a channel's ROAS "
        f"from the accepted run is {np.median(changes):.1%}. Six weeks after an effect fell by "
        f"30%, {sum(row['held'] for row in held) - sum(row['held'] for row in nights)} of "
        f"{len(held) - len(nights)} runs are held.",
        "",
        f"`recent_change`, {_markets(quiet)} and {len(quiet)} runs without a change: "
        f"{_share(quiet, limit):.1%} have a finding. With a change of 30%:",
        "",
        "| changes | number | found within 6 runs |",
        "|---|--:|--:|",
    ]
    for title, mine in (
        (TOGETHER, together),
        ("one channel", changed),
        *((name, [r for r in changed if r["channel"] == name]) for name in _channels(changed)),
        (
            f"channel brings at least {LEAST_SHARE:.0%} of the target in these weeks",
            [row for row in changed if row["share"] >= LEAST_SHARE],
        ),
        (
            f"the data hold it (known t of at least {LEAST_KNOWN:g})",
            [row for row in changed if row["known"] >= LEAST_KNOWN],
        ),
    ):
        lines.append(f"| {title} | {len(mine)} | {_share(mine, limit):.0%} |")
    return "\n".join([*lines, "", f"Machine: {in_words(machine())}.", ""])


def _markets(rows: list[dict[str, Any]]) -> str:
    return quantity(len({row["seed"] for row in rows}), "market")


def _channels(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["channel"] for row in rows))


def _share(rows: list[dict[str, Any]], limit: float) -> float:
    """Return the share of rows with a score above the limit."""
    return sum(max(row["scores"]) > limit for row in rows) / max(len(rows), 1)


if __name__ == "__main__":
    sys.exit(main())
