"""The bench's results as a Markdown page and as a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert

from bench.machine import in_words
from bench.truth.methods import METHODS
from bench.truth.score import LEVELS, lift_test, row
from bench.truth.worlds import WORLDS

OURS = "posterior"
_TIE = 1.1  # scores within a tenth of the best count as tied

Records = Sequence[Mapping[str, Any]]


def in_markdown(result: Mapping[str, Any], records: Records) -> str:
    """Return the results as a Markdown page."""
    both = common(records)
    lines = [
        "# How near do methods come to a known ROAS?",
        "",
        "Markets are simulated, so their true ROAS is known (`bench/truth/worlds.py`). Error of "
        "the median, width of the 90% interval and score (width plus 20 times the distance by "
        "which the truth is missed; lower is better) are relative to the market's mean ROAS. *50%*"
        " to *95%*: how often an interval of that level holds the truth. *Order*: how often two "
        "channels are in the right order; a coin has 50%.",
        "",
        f"## All methods, on the same {_markets(both)} markets",
        "",
        "| method | 50% | 80% | 90% | 95% | width | score | error | order | CPU s | GB | cents |",
        f"|---{'|--:' * 11}|",
        *(_method_line(name, both) for name in METHODS if _of(both, name)),
        "",
        *_places(records),
        "",
        "Score by world, on the markets that the methods of that world share:",
        "",
        *_score_table(records),
        "",
        "## MMM Trainer's posterior, on all markets",
        "",
        "*Chasing*: coverage of the 90% interval for channels whose spend follows unmeasured "
        "demand. *False alarms*: channels that the report calls unknown although the data can tell "
        "them apart. *R-hat*: share of channels at most 1.1.",
        "",
        "| world | markets | channels | 50% | 80% | 90% | 95% | width | score | error "
        "| order | chasing | false alarms | R-hat | statements right |",
        f"|---{'|--:' * 14}|",
    ]
    ours = _of(records, OURS)
    worlds = [world for world in WORLDS if any(r["world"] == world for r in ours)]
    lines += [_world_line(w, row([r for r in ours if r["world"] == w])) for w in worlds]
    if ours:
        lines += [_world_line("all", row(ours)), "", *_marks(ours), *_lift_test(ours)]
    return "\n".join([*lines, "", f"Machine: {in_words(result['machine'])}.", ""])


def common(records: Records) -> Records:
    """Return the records of the markets that every method answered that answered any."""
    methods = {record["method"] for record in records}
    asked = [{(r["world"], r["seed"]) for r in records if r["method"] == m} for m in methods]
    markets = set.intersection(*asked) if asked else set()
    return [record for record in records if (record["world"], record["seed"]) in markets]


def _of(records: Records, method: str, world: str | None = None) -> Records:
    return [r for r in records if r["method"] == method and world in (None, r["world"])]


def _markets(records: Records) -> int:
    return len({(record["world"], record["seed"]) for record in records})


def _method_line(name: str, records: Records) -> str:
    found = row(_of(records, name))
    cells = [METHODS[name].title, *(_percent(found[f"inside_{level}"]) for level in LEVELS)]
    cells += [_number(found[key], 2) for key in ("width", "score")]
    cells += [_number(found["error"], 3), _percent(found["order"])]
    cells += [_number(found["cpu_seconds"], 0), _number(found["memory_gb"], 1)]
    cells.append(_number(found["cents"], 3))
    return f"| {' | '.join(cells)} |"


def _scores(records: Records) -> dict[str, dict[str, float]]:
    """Return {world: {method: score}}, in each world on markets that its methods share."""
    out: dict[str, dict[str, float]] = {}
    for world in WORLDS:
        shared = common([record for record in records if record["world"] == world])
        for method in METHODS:
            mine = _of(shared, method)
            score = row(mine)["score"] if mine else None
            if score is not None:
                out.setdefault(world, {})[method] = score
    return out


def _places(records: Records) -> list[str]:
    """Say in how many worlds this project's score is the lowest, or within a tenth of it."""
    scores = _scores(records)
    mine = [found for found in scores.values() if OURS in found and len(found) > 1]
    first = sum(found[OURS] <= _TIE * min(found.values()) for found in mine)
    if not mine:
        return []
    return [
        f"The posterior's score is the lowest, or within a tenth of the lowest, in {first} of "
        f"{len(mine)} worlds."
    ]


def _score_table(records: Records) -> list[str]:
    scores = _scores(records)
    methods = [method for method in METHODS if any(method in found for found in scores.values())]
    lines = [f"| world | {' | '.join(METHODS[method].title for method in methods)} |"]
    lines.append(f"|---{'|--:' * len(methods)}|")
    for world, found in scores.items():
        best = min(found.values())
        cells = []
        for method in methods:
            text = _number(found.get(method), 2)
            cells.append(f"**{text}**" if found.get(method) == best else text)
        lines.append(f"| {world} | {' | '.join(cells)} |")
    return lines


def _marks(ours: Records) -> list[str]:
    """Say how often the report marks what cannot be known."""
    found = row(ours)
    marked, from_0 = found["alike_marked"], found["useless_from_0"]
    out = []
    if marked is not None:
        out.append(
            f"- Of channels that are bought together, {marked:.0%} are marked: as a pair that "
            "cannot be separated, or as unknown."
        )
    if from_0 is not None:
        out.append(f"- The interval of a channel without any effect begins at 0 in {from_0:.0%}.")
    return out


def _lift_test(ours: Records) -> list[str]:
    """Say what a lift test of the channel that chases demand changes."""
    found = lift_test(ours)
    if not found["markets"]:
        return []
    return [
        f"- A lift test, in {found['markets']} markets, brings the error of the tested channel "
        f"from {found['before']:.0%} to {found['after']:.0%} of its true ROAS. The medians of the "
        f"other channels move by {found['moved']:.1%} of the mean ROAS, partly because each "
        f"posterior is drawn anew; on average over all of them by {found['drift']:+.1%}."
    ]


def _world_line(world: str, found: Mapping[str, Any]) -> str:
    right, said = found["statements_right"], found["statements"]
    cells = [world, str(found["markets"]), str(found["channels"])]
    cells += [_percent(found[f"inside_{level}"]) for level in LEVELS]
    cells += [_number(found["width"], 2), _number(found["score"], 2), _number(found["error"], 3)]
    names = ("order", "chasing_90", "false_alarms", "r_hat_good")
    cells += [_percent(found[name]) for name in names]
    cells.append("" if right is None else f"{right:.0%} of {said}")
    return f"| {' | '.join(cells)} |"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def chart(result: Mapping[str, Any]) -> str:
    """Return an SVG: for each method and world, the score on a logarithmic scale."""
    rows = [
        {"world": world, "method": METHODS[method].title, "score": found["score"]}
        for method, tables in result["methods"].items()
        for world, found in tables["worlds"].items()
        if found["score"] is not None
    ]
    drawn = (
        alt.Chart(alt.Data(values=rows), width=560, height=alt.Step(22))
        .mark_point(filled=True, size=70, opacity=0.9)
        .encode(
            x=alt.X("score:Q", scale=alt.Scale(type="log"), title="score (lower is better)"),
            y=alt.Y("world:N", sort=list(WORLDS), title=None, axis=alt.Axis(grid=True)),
            color=alt.Color("method:N", title=None, legend=alt.Legend(orient="top", columns=3)),
            shape=alt.Shape("method:N", title=None),
        )
        .configure(background="white")
    )
    return str(vl_convert.vegalite_to_svg(drawn.to_dict()))
