"""Split the difference of two runs into parts that add up.

With one cause, it is the whole difference. With several, the posterior is drawn again while the
causes are applied one after the other: restated history, new periods, search, config. Each part is
the change at its step; the version gets what is left. Where that is impossible, the causes share
one part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contract.config import Config
from contract.stores import Store
from job.runtime.temporary import TemporaryFolder
from mmm.compare.again import TOTAL, data_of, has_columns, restate, roas_of
from mmm.compare.causes import Cause, with_search_of
from mmm.compare.runs import FinishedRun

Values = Mapping[str, float]
UNEXPLAINED = "unexplained"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The figures of both runs by channel (TOTAL for all), and the parts of each difference.

    `why_shared` says why several causes share one part, None if they do not.
    """

    before: Values
    after: Values
    parts: Mapping[str, Mapping[str, float]]
    why_shared: str | None = None


def recorded(run: FinishedRun, *, posterior: bool) -> dict[str, float]:
    """Return the ROAS of each paid channel and of all, by the posterior or the chosen model."""
    if posterior:
        found = run.metrics["posterior"]
        medians = {c["name"]: c["roas"]["median"] for c in found["channels"]}
        return {**medians, TOTAL: found["total"]["roas"]["median"]}
    channels = [c for c in run.metrics.get("channels") or [] if c["spend"]]
    roas = {c["name"]: c["contribution"] / c["spend"] for c in channels}
    spend = sum(c["spend"] for c in channels)
    total = sum(c["contribution"] for c in channels) / spend if spend else 0.0
    return {**roas, TOTAL: total}


def difference(
    store: Store,
    before: FinishedRun,
    after: FinishedRun,
    causes: Sequence[Cause],
    *,
    may_draw: bool,
    on_draw: Callable[[str], None] = lambda _: None,
) -> Difference:
    """Return the difference of the channels that both runs have, and its parts."""
    posterior = bool(before.metrics.get("posterior") and after.metrics.get("posterior"))
    old, new = (recorded(run, posterior=posterior) for run in (before, after))
    names = [name for name in new if name in old]
    whole = {name: new[name] - old[name] for name in names}
    if len(causes) < 2:
        title = causes[0].value if causes else UNEXPLAINED
        parts = {name: {title: whole[name]} for name in names if causes or whole[name]}
        return Difference(before=old, after=new, parts=parts)
    shared = Difference(
        before=old,
        after=new,
        parts={name: {" + ".join(causes): whole[name]} for name in names},
    )
    if not posterior:
        return _shared(shared, "a run has no posterior")
    if not may_draw:
        return _shared(shared, "nothing was drawn again")
    with TemporaryFolder("compare-") as folder:
        files = [data_of(store, run.manifest, folder.path) for run in (before, after)]
        if files[0] is None or files[1] is None:
            return _shared(shared, "the data of a run is no longer stored")
        if not has_columns(files[1], files[0]):
            return _shared(shared, "columns were removed")
        steps = _steps(before, after, causes, files[0], files[1], folder.path)
        drawn = []
        for title, data, config in steps:
            on_draw(title)
            drawn.append((title, roas_of(data, config)))
    if any(name not in values for _, values in drawn for name in names):
        return _shared(shared, "a channel has no spend in one of the steps")
    return Difference(
        before=old,
        after=new,
        parts={name: _parts(name, old, new, causes, drawn) for name in names},
    )


def _shared(found: Difference, why: str) -> Difference:
    return Difference(before=found.before, after=found.after, parts=found.parts, why_shared=why)


def _steps(
    before: FinishedRun,
    after: FinishedRun,
    causes: Sequence[Cause],
    old: Path,
    new: Path,
    folder: Path,
) -> list[tuple[str, Path, Config]]:
    """Return what must be drawn: (cause that was just applied, data, config).

    The last cause needs no draw, because the second run recorded its result; unless the version
    changed, which has to be separated from both ends.
    """
    data, config = old, before.config
    steps = [("", data, config)] if Cause.VERSION in causes else []
    for cause in causes:
        if cause is Cause.RESTATED:
            last = Cause.PERIODS not in causes
            data = new if last else restate(old, new, folder / "restated.parquet")
        elif cause is Cause.PERIODS:
            data = new
        elif cause is Cause.SEARCH:
            config = with_search_of(config, after.config)
        elif cause is Cause.CONFIG:
            config = after.config
        else:
            continue
        steps.append((cause.value, data, config))
    return steps if Cause.VERSION in causes else steps[:-1]


def _parts(
    name: str,
    old: Values,
    new: Values,
    causes: Sequence[Cause],
    drawn: Sequence[tuple[str, Values]],
) -> dict[str, float]:
    """Return the part of each cause; the last one gets what is left, so that they add up."""
    parts: dict[str, float] = {}
    at = old[name]
    for title, values in drawn:
        if title:
            parts[title] = values[name] - at
        at = values[name]
    last = causes[-1].value
    parts[last] = new[name] - old[name] - sum(parts.values())
    return parts
