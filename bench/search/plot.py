"""The chart of the benchmark: milliseconds per iteration, on a logarithmic scale."""

from __future__ import annotations

import math
from typing import Any

LEFT, WIDTH, ROW, GAP = 150, 520, 15, 16
LOW, HIGH = 0.1, 1000.0  # ms
ROBYN, OURS = "#9aa0a6", "#1a73e8"


def plot(result: dict[str, Any]) -> str:
    """Return an SVG with two bars per case: robyn_run on one core, ours in one process."""
    pairs = [("geometric", *_main(result["main"]))]
    pairs += [
        (case["case"], case["robyn"]["loop_ms"], case["ours"]["loop_ms"])
        for case in result.get("cases", [])
    ]
    height = 60 + len(pairs) * (2 * ROW + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 90}" height="{height}"'
        ' font-family="sans-serif" font-size="12">',
        '<title>Milliseconds per iteration, logarithmic scale</title>',
        '<rect width="100%" height="100%" fill="white"/>',
        _legend(),
    ]  # fmt: skip
    for power in range(-1, 4):
        parts.append(_mark(10.0**power, height))
    for i, (case, robyn, ours) in enumerate(pairs):
        top = 44 + i * (2 * ROW + GAP)
        parts.append(f'<text x="{LEFT - 8}" y="{top + ROW + 4}" text-anchor="end">{case}</text>')
        parts += [_bar(top, robyn, ROBYN), _bar(top + ROW, ours, OURS)]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _main(main: dict[str, Any]) -> tuple[float, float]:
    rows = (main["robyn_one_core"], main["ours_one_process"])
    robyn, ours = (1000 * r["seconds"] / r["trials"] / r["iterations"] for r in rows)
    return robyn, ours


def _x(ms: float) -> float:
    return LEFT + WIDTH * math.log(ms / LOW) / math.log(HIGH / LOW)


def _bar(top: float, ms: float, colour: str) -> str:
    end = _x(ms)
    return (
        f'<rect x="{LEFT}" y="{top}" width="{end - LEFT:.1f}" height="{ROW - 2}" fill="{colour}"/>'
        f'<text x="{end + 5:.1f}" y="{top + ROW - 4}">{ms:.3g} ms</text>'
    )


def _mark(ms: float, height: int) -> str:
    x = _x(ms)
    return (
        f'<line x1="{x:.1f}" y1="38" x2="{x:.1f}" y2="{height - 18}" stroke="#e0e0e0"/>'
        f'<text x="{x:.1f}" y="{height - 5}" text-anchor="middle" fill="#5f6368">{ms:g}</text>'
    )


def _legend() -> str:
    return (
        f'<rect x="{LEFT}" y="12" width="12" height="12" fill="{ROBYN}"/>'
        f'<text x="{LEFT + 18}" y="22">robyn_run(cores = 1)</text>'
        f'<rect x="{LEFT + 190}" y="12" width="12" height="12" fill="{OURS}"/>'
        f'<text x="{LEFT + 208}" y="22">ours, one process (ms per iteration, log scale)</text>'
    )
