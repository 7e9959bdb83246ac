"""The launchers: Cloud Run for real, local processes for the demo."""

from __future__ import annotations

from mmm.local.launcher import LocalLauncher
from trigger.execution import Execution, Launch, Launcher, MaybeStartedError, NotStartedError, Phase

__all__ = [
    "Execution",
    "Launch",
    "Launcher",
    "LocalLauncher",
    "MaybeStartedError",
    "NotStartedError",
    "Phase",
    "open_launcher",
]


def open_launcher(job: str, *, endpoint: str | None = None) -> Launcher:
    """A launcher of the Cloud Run job `projects/P/locations/L/jobs/J`."""
    from trigger.cloud_run import CloudRunLauncher  # heavy; the local launcher does without it

    return CloudRunLauncher.connect(job, endpoint=endpoint)
