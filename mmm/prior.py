"""What the posterior expects before it sees the data, for `mmm plan`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from contract.config import Config, TargetKind
from contract.source import DuckDBSource, FileSource
from job.posterior.predictive import PriorExpectation, expect
from job.posterior.prepare import prepare, priors_of
from job.runtime.temporary import TemporaryFolder
from job.sources import extract


@dataclass(frozen=True, kw_only=True)
class LocalData:
    """What local data says before a run; `expected` is None if there is no posterior."""

    rows: int
    expected: PriorExpectation | None


def read_local(config: Config) -> LocalData | None:
    """Read data that costs nothing to read; None for all but local files.

    Only the number of rows, and sums of the target and the spends count.
    """
    source = config.source
    is_local = isinstance(source, FileSource | DuckDBSource) and not source.path.startswith("gs://")
    if not is_local:
        return None
    with TemporaryFolder("plan-") as folder:
        snapshot = extract(config, run_id="plan", to=folder.path / "snapshot.parquet")
        if not config.posterior.enabled:
            return LocalData(rows=snapshot.rows, expected=None)
        market, _ = prepare(snapshot, config)
    known = market.paid and market.target.sum() > 0
    expected = expect(market, priors_of(config), seed=config.training.seed) if known else None
    return LocalData(rows=snapshot.rows, expected=expected)


def lines(expected: PriorExpectation, config: Config) -> list[str]:
    """Return the expectation as lines of text."""
    share, is_revenue = expected.share, config.target.kind is TargetKind.REVENUE
    out = [
        f"paid media  {share.median:.0%} of {config.target.column} ({share.low:.0%} to "
        f"{share.high:.0%} in 90% of the draws)"
    ]
    for name, roas in expected.roas.items():
        if is_revenue:
            out.append(f"{name}  ROAS {roas.median:.2f} ({roas.low:.2f} to {roas.high:.2f})")
        else:
            ends = [f"{1 / end:.3g}" if end > 0 else "no limit" for end in (roas.high, roas.low)]
            middle = f"{1 / roas.median:.3g}" if roas.median > 0 else "no limit"
            out.append(f"{name}  CPA {middle} ({ends[0]} to {ends[1]})")
    return out + [f"warning: {sentence}" for sentence in expected.contradictions]


def to_json(expected: PriorExpectation | None) -> dict[str, Any] | None:
    """Return the expectation as JSON values."""
    return asdict(expected) if expected else None
