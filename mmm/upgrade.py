"""Train the newest runs again with this version, and say whether their results may be trusted.

A run is compared with itself: same data, config and seed. What differs is the version alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel

from contract import layout
from contract.config import TargetKind
from contract.exceptions import ConfigError
from contract.stored import read_fields
from contract.stores import Store
from contract.stores.folder import FolderStore
from contract.verdict import Level
from job.outputs.drift import ChannelDrift, Metrics, beyond
from job.outputs.drift import compare as compare_figures
from mmm.compare.runs import FinishedRun, find_run
from mmm.replay import Version, compare, prepare, train_again
from mmm.runs import find, markets


class Outcome(StrEnum):
    """The result of one run with this version."""

    EQUAL = "EQUAL"  # every artifact has the same bytes
    WITHIN = "WITHIN"  # within the tolerances of `promotion`, and the verdict is not worse
    BEYOND = "BEYOND"
    FAILED = "FAILED"  # this version cannot train it
    UNCHECKED = "UNCHECKED"  # its data is no longer stored


class Upgraded(BaseModel, frozen=True):
    """A run trained again with this version.

    Attributes:
        roas_change: the largest relative change of a channel's ROAS, None without a result.
        reasons: what is beyond the tolerances, or why there is no result.
        versions: what differs between the two environments.
    """

    run_id: str
    market: str
    outcome: Outcome
    roas_change: float | None = None
    reasons: list[str] = []
    versions: list[Version] = []

    @property
    def is_safe(self) -> bool:
        """Return whether the run may be trained with this version from now on."""
        return self.outcome in (Outcome.EQUAL, Outcome.WITHIN)


def current_runs(store: Store) -> list[str]:
    """Return the current run of each market."""
    return [one.current.run_id for one in markets(store) if one.current is not None]


def check_run(store: Store, text: str, folder: Path, *, revision: str) -> Upgraded:
    """Train a run again in a folder and compare; the bucket is only read.

    Args:
        store: The bucket.
        text: A run id, or a market for its current run.
        folder: An empty folder.
        revision: The revision of a market.

    Raises:
        ConfigError: there is no such run.
        TransientError, ServiceError: the bucket does not answer, or refuses.
    """
    named = find(store, text, revision=revision)
    run = Upgraded(run_id=named.run_id, market=named.market, outcome=Outcome.FAILED)
    try:
        before = find_run(store, named.run_id, revision=revision)
    except ConfigError as error:  # this version does not accept its config
        return run.model_copy(update={"reasons": [error.message]})
    manifest = before.manifest
    try:
        bucket = prepare(store, manifest, folder)
    except ConfigError as error:
        return run.model_copy(update={"outcome": Outcome.UNCHECKED, "reasons": [error.message]})
    ending, after = train_again(manifest, bucket)
    if after is None:
        why = ending.message or f"it ended as {ending.state}, without a result"
        return run.model_copy(update={"reasons": [why]})
    other = FolderStore(bucket)
    replay = compare(store, manifest, other, after)
    path = layout.artifacts(after.revision, after.market, after.run_id, "metrics.json")
    metrics = read_fields(other.read(path).data, path=path)
    channels = compare_figures(before.metrics, metrics)
    reasons = list(_beyond(before, metrics, channels))
    changes = [abs(c.roas_change) for c in channels if c.roas_change is not None]
    outcome = Outcome.EQUAL if replay.is_equal else Outcome.BEYOND if reasons else Outcome.WITHIN
    return run.model_copy(
        update={
            "outcome": outcome,
            "roas_change": max(changes, default=None),
            "reasons": reasons,
            "versions": replay.versions,
        }
    )


def _beyond(before: FinishedRun, metrics: Metrics, channels: list[ChannelDrift]) -> Iterator[str]:
    """Yield what may not change with a version."""
    config = before.config
    measure = "ROAS" if config.target.kind is TargetKind.REVENUE else "CPA"
    was, now = before.verdict, (metrics.get("verdict") or {}).get("verdict")
    order = [level.value for level in Level]
    if was in order and now in order and order.index(now) > order.index(was):
        yield f"the verdict was {was} and is {now}"
    known = {channel.name for channel in channels}
    for channel in config.channels:
        if channel.name not in known:
            yield f"channel `{channel.name}` has no result in one of the trainings"
    yield from beyond(channels, config.promotion, measure=measure)
