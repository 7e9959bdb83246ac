"""Find the two runs of a comparison, and read what they left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from contract import layout
from contract.config import Config
from contract.exceptions import ConfigError, NotFoundError
from contract.printable import short
from contract.request import stored_request
from contract.run import read_status
from contract.runid import is_valid
from contract.stored import read_fields
from contract.stores import Store
from job.gate.previous import Profile, Quality
from job.outputs.ledger import is_accepted
from job.outputs.manifest import Manifest, read_manifest

ALLOWED = "a run id, a market (its current run), or MARKET@DATE (its last accepted run by then)"


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """A finished run; `profile` has the sums of its data by quarter, if they are known."""

    run_id: str
    config: Config
    manifest: Manifest
    metrics: Mapping[str, Any]
    profile: Profile | None

    @property
    def verdict(self) -> str | None:
        """Return PASS, REVIEW or FAIL; None for a run without a verdict."""
        return (self.metrics.get("verdict") or {}).get("verdict")


def find_run(store: Store, text: str, *, revision: str) -> FinishedRun:
    """Return the run that a command names.

    Args:
        store: The bucket.
        text: A run id, a market, or MARKET@DATE.
        revision: The revision of a market.

    Raises:
        ConfigError: there is no such run, or it has no results.
        DamagedError: one of its objects cannot be read.
    """
    return _read(store, text if is_valid(text) else _of_market(store, text, revision))


def _of_market(store: Store, text: str, revision: str) -> str:
    market, at, day = text.partition("@")
    if not at:
        path = layout.current(revision, market)
        try:
            return str(read_fields(store.read(path).data, "run_id", path=path)["run_id"])
        except NotFoundError:
            raise ConfigError(
                f"`{short(text)}` has no current run of revision `{short(revision)}` in "
                f"{store.url}; allowed: {ALLOWED}"
            ) from None
    try:
        last = date.fromisoformat(day)
    except ValueError:
        raise ConfigError(
            f"`{short(text)}` does not end with a date; allowed: e.g. `DE@2026-11-01`"
        ) from None
    found = []
    prefix = layout.artifacts(revision, market, "").rstrip("/") + "/"
    for run_id in filter(is_valid, store.folders(prefix)):
        accepted = store.stat(layout.request(run_id))
        status = read_status(store, run_id)
        if accepted is None or status is None or accepted.updated.date() > last:
            continue
        if is_accepted(store, status):
            found.append((accepted.updated, run_id))
    if not found:
        raise ConfigError(
            f"market `{short(market)}` has no accepted run of revision `{short(revision)}` from "
            f"{last} or before in {store.url}"
        )
    return max(found)[1]


def _read(store: Store, run_id: str) -> FinishedRun:
    request = stored_request(store, run_id)
    if request is None:
        raise ConfigError(f"there is no run `{run_id}` in {store.url}")
    manifest = read_manifest(store, request.revision, request.market, run_id)
    if manifest is None:
        raise ConfigError(f"run {run_id} has no results: it has no manifest")
    folder = layout.artifacts(request.revision, request.market, run_id)
    metrics = read_fields(store.read(f"{folder}metrics.json").data, path=f"{folder}metrics.json")
    quality = f"{folder}data_quality.json"
    try:
        profile = Quality.from_json(store.read(quality).data, path=quality).profile
    except NotFoundError:
        profile = None
    return FinishedRun(
        run_id=run_id,
        config=request.read_config(),
        manifest=manifest,
        metrics=metrics,
        profile=profile,
    )
