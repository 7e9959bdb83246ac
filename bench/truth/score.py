"""How good is an answer? Figures per channel, in units of the market's mean ROAS, and means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from bench.truth.worlds import World

PERCENTILES = (2.5, 5, 10, 25, 50, 75, 90, 95, 97.5)
LEVELS = (50, 80, 90, 95)


def figures(world: World, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a record per paid channel.

    `answer` has `percentiles`, of shape (len(PERCENTILES), paid media), None where there is none,
    and perhaps `identified`, `paired`, `r_hat` and `statements`.
    """
    money = world.data.spend.sum(1)
    mean = float(world.roas @ money / money.sum())
    truth = world.roas / mean
    table = np.array(answer["percentiles"], dtype=float) / mean
    row = dict(zip(PERCENTILES, table, strict=True))
    out = []
    for channel, true in enumerate(truth):
        inside = {}
        for level in LEVELS:
            low, high = row[50 - level / 2][channel], row[50 + level / 2][channel]
            inside[str(level)] = None if np.isnan(low + high) else bool(low <= true <= high)
        low, median, high = (float(row[p][channel]) for p in (5, 50, 95))
        missed = max(low - true, true - high, 0.0)
        said = [worse for better, worse in answer.get("statements", []) if better == channel]
        record = {
            "channel": channel,
            "truth": round(float(true), 4),
            "inside": inside,
            "low": _rounded(low),
            "median": _rounded(median),
            "width": _rounded(high - low),
            "score": _rounded(high - low + 20 * missed),
            "error": _rounded(abs(median - float(true))),
            "chasing": channel in world.chasing,
            "alike": channel in world.alike,
            "statements": len(said),
            "right": sum(bool(true > truth[worse]) for worse in said),
        }
        for name in ("identified", "paired", "r_hat"):
            if name in answer:
                record[name] = answer[name][channel]
        out.append(record)
    return out


def _rounded(value: float) -> float | None:
    """Return a number with four decimals; None if there is no interval."""
    return None if np.isnan(value) else round(float(value), 4)


def row(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the means of the records of one method, in one world or in all."""
    mine = list(records)
    said = sum(record["statements"] for record in mine)
    out: dict[str, Any] = {
        "markets": len({(record["world"], record["seed"]) for record in mine}),
        "channels": len(mine),
        **{f"inside_{level}": _mean(r["inside"][str(level)] for r in mine) for level in LEVELS},
        **{name: _mean(r[name] for r in mine) for name in ("width", "score", "error")},
        "order": _order(mine),
        "chasing_90": _mean(r["inside"]["90"] for r in mine if r["chasing"]),
        "false_alarms": _mean(
            not r["identified"] for r in mine if "identified" in r and not r["alike"]
        ),
        "alike_marked": _mean(
            r["paired"] or not r["identified"] for r in mine if "paired" in r and r["alike"]
        ),
        "useless_from_0": _mean(
            r["low"] == 0 for r in mine if not r["truth"] and r["low"] is not None
        ),
        "r_hat_good": _mean(r["r_hat"] <= 1.1 for r in mine if "r_hat" in r),
        "statements": said,
        "statements_right": sum(r["right"] for r in mine) / said if said else None,
    }
    for name in ("cpu_seconds", "memory_gb", "cents"):
        out[name] = _mean(r[name] for r in mine if r["channel"] == 0)
    return out


TESTED = ", one test"  # ends the name of a world that differs from another by a lift test


def lift_test(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a lift test changes: the markets that are known with and without it, and means.

    `before` and `after` are the errors of the tested channel's median, as shares of its true ROAS;
    `moved` and `drift` how far the medians of the other channels move, in units of the market's
    mean ROAS, without and with their sign.
    """
    by_channel = {(r["world"], r["seed"], r["channel"]): r for r in records}
    pairs = [
        (before, by_channel[world + TESTED, seed, channel])
        for (world, seed, channel), before in by_channel.items()
        if (world + TESTED, seed, channel) in by_channel
    ]
    tested = [(one, two) for one, two in pairs if one["chasing"]]
    moves = [two["median"] - one["median"] for one, two in pairs if not one["chasing"]]
    return {
        "markets": len({one["seed"] for one, _ in pairs}),
        "before": _mean(one["error"] / one["truth"] for one, _ in tested),
        "after": _mean(two["error"] / two["truth"] for _, two in tested),
        "moved": _mean(abs(move) for move in moves),
        "drift": _mean(moves),
    }


def _order(records: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the share of pairs of a market's channels whose order is right."""
    right = []
    for market in {(record["world"], record["seed"]) for record in records}:
        mine = [r for r in records if (r["world"], r["seed"]) == market]
        for one, other in combinations(mine, 2):
            if one["truth"] != other["truth"]:
                right.append((one["truth"] > other["truth"]) == (one["median"] > other["median"]))
    return _mean(right)


def _mean(values: Iterable[Any]) -> float | None:
    """Return the mean of what is not None; None if there is nothing."""
    known = [float(value) for value in values if value is not None]
    return float(np.mean(known)) if known else None
