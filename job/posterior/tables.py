"""The posterior's tables, and its part of metrics.json."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from contract.calibration import Calibration
from contract.config import Config
from job.outputs.tables import RUN_COLUMNS, SCHEMAS
from job.posterior.curves import curves
from job.posterior.draws import Draws
from job.posterior.market import MarketData
from job.posterior.nearest import nearest_model
from job.posterior.next_test import next_tests
from job.posterior.summary import ChannelSummary, LiftTestSummary, Span, Summary, thin


def write(
    output: Path,
    *,
    draws: Draws,
    market: MarketData,
    summary: Summary,
    validation: dict[str, Any] | None,
    config: Config,
) -> None:
    """Write the tables as CSV, and `posterior` and `validation` in metrics.json."""
    tests, settings = config.calibration, config.posterior
    _write_csv(
        output, "posterior", [_channel(channel) for channel in (*summary.channels, summary.total)]
    )
    _write_csv(output, "posterior_draws", list(_draws(draws, market)))
    _write_csv(
        output,
        "posterior_curves",
        [
            {
                "channel": point.channel,
                "spend_factor": point.factor,
                "spend": point.spend,
                **_columns("contribution", point.contribution),
            }
            for point in curves(draws, market)
        ],
    )
    _write_csv(output, "lift_tests", [_test(test, tests[test.number]) for test in summary.tests])
    file = output / "metrics.json"
    metrics = json.loads(file.read_text())
    useful = next_tests(
        draws, market, standard_error=settings.test_error, seed=config.training.seed
    )
    nearest = nearest_model(output / "tables", draws, market)
    metrics["posterior"] = {
        **summary.to_dict(),
        "nearest_model": asdict(nearest) if nearest else None,
        "test_error": settings.test_error,
        "next_tests": [asdict(test) for test in useful],
    }
    if validation is not None:
        metrics["validation"] = validation
    file.write_text(json.dumps(metrics, indent=2, ensure_ascii=False))


def _channel(channel: ChannelSummary) -> dict[str, Any]:
    middle, low, high = channel.cpa()
    carry_over = channel.carry_over
    return {
        "channel": channel.name,
        "spend": channel.spend,
        **_columns("roas", channel.roas),
        "cpa": middle,
        "cpa_low": low,
        "cpa_high": high,
        **_columns("contribution", channel.contribution),
        "contribution_share": channel.share.median,
        "share_low": channel.share.low,
        "share_high": channel.share.high,
        **_columns("marginal_roas", channel.marginal_roas),
        **(_columns("carry_over", carry_over) if carry_over else {}),
        "no_effect": channel.no_effect,
        "is_identified": str(channel.is_identified).upper(),
        "r_hat": channel.r_hat,
        "effective_draws": channel.effective_draws,
    }


def _draws(draws: Draws, market: MarketData) -> Iterator[dict[str, Any]]:
    thinned = thin(draws, market)
    for number in range(len(thinned.roas)):
        for medium, name in enumerate(market.names[: market.paid]):
            yield {
                "draw": number + 1,
                "channel": name,
                "roas": thinned.roas[number, medium],
                "contribution": thinned.contribution[number, medium],
                "marginal_roas": thinned.marginal_roas[number, medium],
            }


def _test(test: LiftTestSummary, given: Calibration) -> dict[str, Any]:
    return {
        "test": test.number + 1,
        "channel": given.channel,
        "start": given.start.isoformat(),
        "end": given.end.isoformat(),
        "lift": test.lift,
        "standard_error": test.standard_error,
        **_columns("before", test.before),
        **_columns("after", test.after),
    }


def _columns(name: str, span: Span) -> dict[str, float]:
    return {name: span.median, f"{name}_low": span.low, f"{name}_high": span.high}


def _write_csv(output: Path, table: str, rows: Sequence[dict[str, Any]]) -> None:
    names = [name for name in SCHEMAS[table].names if name not in RUN_COLUMNS]
    with (output / "tables" / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, quoting=csv.QUOTE_MINIMAL)
        writer.writeheader()
        writer.writerows(rows)
