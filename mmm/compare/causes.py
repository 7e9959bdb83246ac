"""What differs between two runs: data, config, version, search."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from contract.config import Config
from contract.loading import flatten
from contract.printable import short
from mmm.compare.runs import FinishedRun

_LEAST_CHANGE = 1e-6  # of a quarter's sum; less is rounding
_MOST_LISTED = 20
_WHOLE = 100_000  # sums from here on are shown without decimals
SEARCH_FIELDS = (
    "cores",
    "iterations",
    "max_iterations",
    "optimiser",
    "preset",
    "search",
    "seed",
    "tasks",
    "trials",
    "workers",
)
_NO_EFFECT = ("gate", "limits", "promotion", "verdict", "source", "market", "revision", "version")
_NAMES = ("target.label", "target.currency")  # of figures, in the report


class Cause(StrEnum):
    """A reason for two runs to differ, in the order in which the parts are computed."""

    RESTATED = "restated history"
    PERIODS = "new periods"
    SEARCH = "search"
    CONFIG = "config"
    VERSION = "version"


def causes(before: FinishedRun, after: FinishedRun) -> dict[Cause, list[str]]:
    """Return what differs, each cause with sentences that say what."""
    changed = {**dict.fromkeys(_values(before)), **dict.fromkeys(_values(after))}
    old, new = _values(before), _values(after)
    fields = [n for n in changed if old.get(n) != new.get(n) and n not in _NAMES]
    search = {f"training.{name}" for name in SEARCH_FIELDS}
    found = {
        Cause.RESTATED: list(_restated(before, after)),
        Cause.PERIODS: list(_periods(before, after)),
        Cause.SEARCH: [_field(name, old, new) for name in fields if name in search],
        Cause.CONFIG: [_field(name, old, new) for name in fields if name not in search],
        Cause.VERSION: list(_versions(before, after)),
    }
    return {cause: said[:_MOST_LISTED] for cause, said in found.items() if said}


def with_search_of(config: Config, other: Config) -> Config:
    """Return the config with the search of another one."""
    training = {name: getattr(other.training, name) for name in SEARCH_FIELDS}
    return config.model_copy(update={"training": config.training.model_copy(update=training)})


def _values(run: FinishedRun) -> dict[str, Any]:
    """Return the fields of a run's config that its figures depend on."""
    document = run.config.model_dump(mode="json", exclude=set(_NO_EFFECT))
    return dict(flatten(document))


def _field(name: str, old: dict[str, Any], new: dict[str, Any]) -> str:
    was, now = (short(str(values.get(name, "not there"))) for values in (old, new))
    return f"`{name}` was {was} and is {now}"


def _periods(before: FinishedRun, after: FinishedRun) -> Iterator[str]:
    for name, title in (("window_start", "begins"), ("window_end", "ends")):
        was, now = before.metrics.get(name), after.metrics.get(name)
        if was != now:
            yield f"the modelled window {title} on {now}, before on {was}"


def _restated(before: FinishedRun, after: FinishedRun) -> Iterator[str]:
    old = before.profile.quarters if before.profile else {}
    new = after.profile.quarters if after.profile else {}
    some = False
    for column in sorted(old.keys() & new.keys()):
        for quarter in sorted(old[column].keys() & new[column].keys()):
            was, now = old[column][quarter], new[column][quarter]
            if abs(now - was) > _LEAST_CHANGE * max(abs(was), abs(now)):
                some = True
                values = (f"{x:,.0f}" if abs(x) >= _WHOLE else f"{x:,.6g}" for x in (was, now))
                yield f"the sum of `{column}` in {quarter} was {' and is '.join(values)}"
    same_rows = before.manifest.data.columns == after.manifest.data.columns and not list(
        _periods(before, after)
    )
    if not some and same_rows and before.manifest.data.sha256 != after.manifest.data.sha256:
        yield "rows of the first or last quarter changed"


def _versions(before: FinishedRun, after: FinishedRun) -> Iterator[str]:
    one, other = before.manifest, after.manifest
    for title, was, now in (
        ("engine", one.engine, other.engine),
        ("version of MMM Trainer", one.versions.mmm_trainer, other.versions.mmm_trainer),
        ("image", one.versions.image, other.versions.image),
        ("R", one.versions.r, other.versions.r),
        ("Robyn", one.versions.robyn, other.versions.robyn),
    ):
        if was != now:
            yield f"{title} was {was} and is {now}"
