"""The posterior step: draw beside the search, then write tables and figures."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from contract import layout
from contract.exceptions import CancelledError
from job.attempt import checkpoints
from job.attempt.context import Attempt
from job.outputs.tables import RUN_COLUMNS, SCHEMAS
from job.posterior.draws import Draws, draw
from job.posterior.market import MarketData, Priors
from job.posterior.prepare import prepare
from job.posterior.summary import (
    DOUBTFUL_R_HAT,
    ChannelSummary,
    Span,
    Summary,
    summarise,
    thin,
)
from job.sources import Snapshot
from job.sources.annotations import with_annotations

Write = Callable[[], None]
DRAWS = "posterior.npz"


@contextmanager
def posterior(attempt: Attempt, snapshot: Snapshot) -> Iterator[Write]:
    """Draw in the background; the function that this yields waits and writes what the draws say.

    The thread stops when the block ends early.
    """
    settings = attempt.config.posterior
    if not settings.enabled:
        yield _nothing
        return
    left = False
    priors = Priors(**settings.priors.model_dump())
    config = with_annotations(attempt.config, snapshot.annotations)
    market, seed = prepare(snapshot, config), config.training.seed
    if market.target.sum() <= 0 or not market.paid:
        attempt.warnings.append(
            "there is no posterior: it needs a target with a positive sum "
            f"(`{config.target.column}` has {market.target.sum():g}) and a channel with spend"
        )
        yield _nothing
        return

    def check() -> None:
        if left or attempt.stop() is not None:
            raise CancelledError("the posterior stops, because the attempt ends")

    def drawn() -> Draws:
        file = attempt.workspace.work / DRAWS
        if checkpoints.restore(attempt.store, attempt.run_id, DRAWS, file):
            try:
                return Draws.load(file)
            except (ValueError, KeyError, OSError, BadZipFile) as error:
                path = layout.work(attempt.run_id, DRAWS)
                attempt.log.warning(f"`{path}` is damaged ({error}); the posterior is drawn again")
        draws = draw(market, seed=seed, priors=priors, sweeps=settings.sweeps, check=check)
        draws.save(file)
        attempt.check()
        checkpoints.save(attempt.store, attempt.run_id, DRAWS, file)
        return draws

    with ThreadPoolExecutor(1, thread_name_prefix="posterior") as pool:
        # Of several tasks, only the one that makes the outputs draws, after its trials.
        future = pool.submit(drawn) if attempt.tasks == 1 else None

        def write() -> None:
            with attempt.trace.step("posterior") as detail:
                draws = drawn() if future is None else future.result()
                summary = summarise(draws, market, priors, seed=seed)
                _write(attempt.workspace.output, draws, market, summary)
                detail["draws"] = summary.draws
            for channel in summary.channels:
                if channel.r_hat > DOUBTFUL_R_HAT:
                    attempt.warnings.append(
                        f"the chains of the posterior differ for `{channel.name}`: R-hat is "
                        f"{channel.r_hat:.2f}, at most {DOUBTFUL_R_HAT:g} is good; raise "
                        f"`posterior.sweeps` ({settings.sweeps})"
                    )

        try:
            yield write
        finally:
            left = True


def _nothing() -> None:
    """Write no tables; those of the results stay empty."""


def _write(output: Path, draws: Draws, market: MarketData, summary: Summary) -> None:
    rows = [_row(channel) for channel in (*summary.channels, summary.total)]
    _write_csv(output, "posterior", rows)
    thinned = thin(draws, market)
    _write_csv(
        output,
        "posterior_draws",
        [
            {
                "draw": number + 1,
                "channel": name,
                "roas": thinned.roas[number, medium],
                "contribution": thinned.contribution[number, medium],
                "marginal_roas": thinned.marginal_roas[number, medium],
            }
            for number in range(len(thinned.roas))
            for medium, name in enumerate(market.names[: market.paid])
        ],
    )
    file = output / "metrics.json"
    metrics = json.loads(file.read_text())
    metrics["posterior"] = summary.to_dict()
    file.write_text(json.dumps(metrics, indent=2, ensure_ascii=False))


def _row(channel: ChannelSummary) -> dict[str, Any]:
    middle, low, high = channel.cpa()
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
        "no_effect": channel.no_effect,
        "is_identified": str(channel.is_identified).upper(),
        "r_hat": channel.r_hat,
    }


def _columns(name: str, span: Span) -> dict[str, float]:
    return {name: span.median, f"{name}_low": span.low, f"{name}_high": span.high}


def _write_csv(output: Path, table: str, rows: list[dict[str, Any]]) -> None:
    names = [name for name in SCHEMAS[table].names if name not in RUN_COLUMNS]
    with (output / "tables" / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, quoting=csv.QUOTE_MINIMAL)
        writer.writeheader()
        writer.writerows(rows)
