"""Decide whether a finished run becomes its market's current one, or is HELD."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from contract import layout
from contract.config import Config, TargetKind
from contract.damage import unless_damaged
from contract.exceptions import NotFoundError
from contract.stored import read_fields
from contract.stores import Store
from contract.verdict import Level
from job.outputs import ledger
from job.outputs.drift import ChannelDrift, Metrics, beyond, compare
from job.outputs.ledger import Action
from job.outputs.manifest import Manifest


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A run beside the market's current one; it is HELD if there are `reasons`."""

    against: str | None
    channels: tuple[ChannelDrift, ...]
    reasons: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the content of `drift` in the run's event."""
        return {
            "verdict": "HOLD" if self.reasons else "ACCEPT",
            "against": self.against,
            "reasons": list(self.reasons),
            "channels": [channel.to_dict() for channel in self.channels],
        }


def decide(store: Store, config: Config, manifest: Manifest, metrics: Metrics) -> Comparison:
    """Compare a finished run with the market's current one.

    A damaged pointer, or damaged figures of the current run, count as no current run.
    """
    none: tuple[str | None, Metrics | None] = None, None
    against, before = unless_damaged(
        partial(_current, store, manifest), none, then="the run is not compared with it"
    )
    channels = compare(before, metrics) if before is not None else []
    measure = "ROAS" if config.target.kind is TargetKind.REVENUE else "CPA"
    reasons = (
        *_by_person(store, manifest),
        *_by_verdict(metrics, config),
        *beyond(channels, config.promotion, measure=measure),
    )
    return Comparison(against=against, channels=tuple(channels), reasons=reasons)


def _current(store: Store, manifest: Manifest) -> tuple[str | None, Metrics | None]:
    """Return the market's current run and its figures; none if it is the run itself."""
    path = layout.current(manifest.revision, manifest.market)
    try:
        run_id = str(read_fields(store.read(path).data, "run_id", path=path)["run_id"])
        if run_id == manifest.run_id:
            return None, None
        folder = layout.artifacts(manifest.revision, manifest.market, run_id)
        file = f"{folder}metrics.json"
        return run_id, read_fields(store.read(file).data, path=file)
    except NotFoundError:
        return None, None


def _by_person(store: Store, manifest: Manifest) -> Iterator[str]:
    """Yield a reason if a person held the run, or one with the same config and data."""
    revision, market = manifest.revision, manifest.market
    for run_id in dict.fromkeys((manifest.run_id, _same(store, manifest))):
        if run_id is None:
            continue
        action, by_person = ledger.last_action(store, revision, market, run_id)
        if by_person is None or action is Action.PROMOTE:
            continue
        which = "it" if run_id == manifest.run_id else f"run {run_id} of the same config and data"
        done = "held" if action is Action.HOLD else "rolled back from"
        yield f"a person {done} {which}"


def _same(store: Store, manifest: Manifest) -> str | None:
    """Return the promoted run with the same fingerprint, None if there is none."""
    path = layout.fingerprint(manifest.fingerprint)

    def read() -> str | None:
        try:
            return str(read_fields(store.read(path).data, "run_id", path=path)["run_id"])
        except NotFoundError:
            return None

    return unless_damaged(read, None, then="no run counts as the same")


def _by_verdict(metrics: Metrics, config: Config) -> Iterator[str]:
    for finding in (metrics.get("verdict") or {}).get("findings", []):
        if finding["level"] == Level.FAIL:
            yield f"the verdict is FAIL: {finding['sentence']}"
    lowest, r2 = config.promotion.min_r2, metrics.get("rsq_train")
    if lowest is not None and (r2 is None or r2 < lowest):
        yield f"R² is {r2}; allowed: at least {lowest:g} (`promotion.min_r2`)"
