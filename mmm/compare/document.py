"""The comparison as one document: what `mmm compare --json` prints."""

from __future__ import annotations

from collections.abc import Iterator

from contract.base import Strict
from contract.config import TargetKind
from mmm.compare.again import TOTAL
from mmm.compare.causes import Cause
from mmm.compare.parts import Difference
from mmm.compare.runs import FinishedRun


class ComparedRun(Strict):
    """One of the two runs."""

    run_id: str
    market: str
    revision: str
    verdict: str | None
    window_start: str | None
    window_end: str | None
    rsq_train: float | None
    best_model: str


class ComparedChannel(Strict):
    """A channel in both runs. The parts add up to `after` less `before`.

    `name` is null for all paid channels together.
    """

    name: str | None
    before: float
    after: float
    change: float
    parts: dict[str, float]


class Compared(Strict):
    """Two runs, what differs between them, and the parts of each channel's change of ROAS.

    ROAS is the contribution per unit of spend, also for conversions. `figures` says where it is
    from. `shared` says why several causes share one part, null if they do not.
    """

    before: ComparedRun
    after: ComparedRun
    measure: str
    figures: str
    causes: dict[str, list[str]]
    channels: list[ComparedChannel]
    added: list[str]
    removed: list[str]
    shared: str | None


def document(
    before: FinishedRun,
    after: FinishedRun,
    causes: dict[Cause, list[str]],
    found: Difference,
) -> Compared:
    """Return the comparison of two runs."""
    posterior = bool(before.metrics.get("posterior") and after.metrics.get("posterior"))
    is_revenue = after.config.target.kind is TargetKind.REVENUE
    return Compared(
        before=_run(before),
        after=_run(after),
        measure="ROAS" if is_revenue else "conversions per unit of spend",
        figures="posterior" if posterior else "chosen model",
        causes={cause.value: said for cause, said in causes.items()},
        channels=list(_channels(found)),
        added=[name for name in found.after if name not in found.before],
        removed=[name for name in found.before if name not in found.after],
        shared=found.why_shared,
    )


def _run(run: FinishedRun) -> ComparedRun:
    metrics, manifest = run.metrics, run.manifest
    return ComparedRun(
        run_id=run.run_id,
        market=manifest.market,
        revision=manifest.revision,
        verdict=run.verdict,
        window_start=metrics.get("window_start"),
        window_end=metrics.get("window_end"),
        rsq_train=metrics.get("rsq_train"),
        best_model=manifest.best_model,
    )


def _channels(found: Difference) -> Iterator[ComparedChannel]:
    for name, after in found.after.items():
        if name in found.before:
            yield ComparedChannel(
                name=None if name == TOTAL else name,
                before=found.before[name],
                after=after,
                change=after - found.before[name],
                parts=dict(found.parts.get(name, {})),
            )
