"""`mmm stability RUN`: how much a market's figures change from period to period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mmm.commands.common import (
    DEFAULT_BUCKET,
    AsJson,
    Bucket,
    CurrentRun,
    Revision,
    report_errors,
)

if TYPE_CHECKING:
    from mmm.compare.runs import FinishedRun
    from mmm.stability import Stability


def command(
    run: CurrentRun,
    periods: Annotated[
        int, typer.Option(min=2, max=200, help="How many of the last periods to end the data at.")
    ] = 26,
    revision: Revision = "r1",
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: AsJson = False,
) -> None:
    """Learn a market's tolerances from its last periods.

    Draws the posterior again for the data up to the end of each of the last periods, in parallel,
    and compares the results as nightly runs are compared. Shows which of them `promotion` would
    hold and how much ROAS changes, and proposes tolerances. Does not repeat the search. Takes about
    as long as the posterior of a run, times the periods, divided by the cores.

    Examples: mmm stability DE; mmm stability DE --periods 52 --bucket gs://BUCKET --json
    """
    from contract.stores import open_store
    from mmm.compare.runs import find_run

    with report_errors(as_json=as_json):
        store = open_store(bucket)
        found = find_run(store, run, revision=revision)
        result = _measure(bucket, found, periods)
    if as_json:
        print(result.model_dump_json())
    else:
        _print(result, found)


def _measure(bucket: str, run: FinishedRun, periods: int) -> Stability:
    import sys

    import numpy as np

    from contract.config import TargetKind
    from contract.exceptions import ConfigError
    from contract.stores import open_store
    from job.posterior.prepare import modelled_days, prepare, priors_of
    from job.runtime.machine import available_cores
    from job.runtime.temporary import TemporaryFolder
    from job.sources import Snapshot
    from job.sources.annotations import with_annotations
    from mmm.compare.again import required_data_of
    from mmm.stability import Stability, ends_of, measure_stability

    with TemporaryFolder("stability-") as folder:
        data = required_data_of(open_store(bucket), run.manifest, folder.path)
        snapshot = Snapshot.load(data)
        config = with_annotations(run.config, snapshot.annotations)
        market, _ = prepare(snapshot, config)
        days = modelled_days(snapshot, config)
    if not config.posterior.enabled:
        raise ConfigError(f"run {run.run_id} has no posterior: `posterior.enabled` is false")
    drawn, total = 0, len(ends_of(market, periods))

    def done() -> None:
        nonlocal drawn
        drawn += 1
        print(f"drawn {drawn} of {total}", file=sys.stderr, flush=True)

    ends, roas, share = measure_stability(
        market,
        priors_of(config),
        config.promotion,
        days=days,
        periods=periods,
        seed=config.training.seed,
        sweeps=config.posterior.sweeps,
        workers=available_cores(),
        measure="ROAS" if config.target.kind is TargetKind.REVENUE else "CPA",
        done=done,
    )
    changes = [change for end in ends for change in end.changes.values()] or [0.0]
    return Stability(
        run_id=run.run_id,
        market=run.manifest.market,
        ends=ends,
        held=sum(bool(end.reasons) for end in ends),
        median_change=float(np.median(changes)),
        high_change=float(np.quantile(changes, 0.95)),
        max_roas_change=roas,
        max_share_change=share,
    )


def _print(result: Stability, run: FinishedRun) -> None:
    from contract.printable import one_line

    for end in result.ends:
        for reason in end.reasons:
            print(one_line(f"HELD  {end.last}  {reason}"))
    print(
        f"{result.held} of {len(result.ends)} ends would be held; ROAS changes by "
        f"{result.median_change:.1%} in the median, {result.high_change:.1%} at most in 95%"
    )
    now = run.config.promotion
    for name in ("max_roas_change", "max_share_change"):
        proposed, today = getattr(result, name), getattr(now, name)
        has = "no limit" if today is None else f"{today:g}"
        print(f"promotion.{name}: {proposed:g} lets 98% of the ends pass; the config has {has}")
