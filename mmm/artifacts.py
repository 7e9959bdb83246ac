"""The files that a finished run left in the bucket."""

from __future__ import annotations

from contract import layout
from contract.exceptions import ConfigError, NotFoundError
from contract.stores import Store
from mmm.runs import Run


def path_of(run: Run, name: str) -> str:
    """Return the path of a run's artifact."""
    return layout.artifacts(run.revision, run.market, run.run_id, name)


def read(store: Store, run: Run, name: str) -> bytes:
    """Return an artifact.

    Raises:
        ConfigError: the run has no such artifact.
    """
    try:
        return store.read(path_of(run, name)).data
    except NotFoundError:
        what = "report" if name == "report.html" else f"`{name}`"
        why = f", {run.problem}" if run.problem else ""
        raise ConfigError(f"run {run.run_id} has no {what}: it is {run.state}{why}") from None


def names(store: Store, run: Run) -> list[str]:
    """Return the names of a run's artifacts, e.g. `tables/posterior.parquet`."""
    folder = path_of(run, "")
    return [info.path.removeprefix(folder) for info in store.list(folder)]
