"""The manifest: the artifacts of a finished run, and the config, data and versions behind them.

It is the last object of a run: if it exists, the run's artifacts are complete. Its schema is
`docs/manifest.schema.json`.
"""

from __future__ import annotations

import importlib.metadata
import platform
from functools import cache
from typing import Any

from contract import layout
from contract.base import Strict
from contract.exceptions import NotFoundError
from contract.run import State
from contract.stored import Moment, Stored
from contract.stores import Store
from job.outputs.upload import Artifact


class DataFacts(Strict):
    """Facts about the extract."""

    rows: int
    columns: list[str]
    first_date: str | None
    last_date: str | None
    sha256: str
    source: str
    sql: list[str]
    annotations: dict[str, Any] | None = None


class Versions(Strict):
    """The versions that ran, enough to distinguish two environments."""

    mmm_trainer: str
    image: str | None
    python: str
    python_packages: dict[str, str]
    r: str | None = None
    robyn: str | None = None
    r_packages: dict[str, str] = {}


class Manifest(Stored):
    """`manifest.json`."""

    manifest_version: int = 1
    run_id: str
    market: str
    revision: str
    state: State
    created_at: Moment
    engine: str
    search: str
    selfcheck: dict[str, Any] | None = None
    best_model: str
    seed: int
    trials: int
    iterations: int
    trial_iterations: list[int] = []  # of each trial; `training.max_iterations` may add some
    cores: int
    config_hash: str
    fingerprint: str
    data: DataFacts
    versions: Versions
    timings: dict[str, float]
    steps: list[dict[str, Any]]
    cost: dict[str, Any] | None = None
    warnings: list[str] = []
    artifacts: list[Artifact]


def versions(*, image: str | None, result: dict[str, Any]) -> Versions:
    """Return the versions of all parts; R reports its own."""
    return Versions(
        mmm_trainer=own_version(),
        image=image,
        python=platform.python_version(),
        python_packages=python_packages(),
        r=result.get("r_version"),
        robyn=result.get("robyn_version"),
        r_packages={str(k): str(v) for k, v in (result.get("packages") or {}).items()},
    )


@cache
def python_packages() -> dict[str, str]:
    """Return every installed Python distribution and its version."""
    found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
    return dict(sorted((name, version) for name, version in found.items() if name))


def own_version() -> str:
    """Return this project's version, as `pyproject.toml` states it."""
    return importlib.metadata.version("mmm-trainer")


def read_manifest(store: Store, revision: str, market: str, run_id: str) -> Manifest | None:
    """Return the manifest of a finished run, None if there is none."""
    path = layout.manifest(revision, market, run_id)
    try:
        return Manifest.from_json(store.read(path).data, path=path)
    except NotFoundError:
        return None
