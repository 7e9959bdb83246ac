"""Which files of its own machine a run may read.

A config that came by a message, or from the bucket, is somebody else's: its paths reach objects of
buckets (as far as the job's account may) and the folder that the deployment names, not the
machine's own files, among which mounted secrets may lie. Where the bucket is a folder, or a person
started the run here, whoever wrote the config has this machine anyway.
"""

from __future__ import annotations

from pathlib import Path

from contract.exceptions import ConfigError
from job.attempt.context import Run


def may_read_files(run: Run) -> bool:
    """Whether any file of this machine may be named by the run's config."""
    return run.request.origin.via == "command" or not run.store.url.startswith("gs://")


def check_source(run: Run) -> None:
    """Refuse a source that is a file out of the run's reach, before it is looked at.

    Raises:
        ConfigError: it is.
    """
    path = getattr(run.config.source, "path", None)
    if path is None or path.startswith("gs://") or may_read_files(run):
        return
    folder = run.settings.data_folder
    if folder is not None and Path(path).resolve().is_relative_to(folder.resolve()):
        return
    below = f" or a file below {folder}" if folder is not None else ""
    raise ConfigError(
        f"`source.path` is `{path}`; allowed in this deployment: gs://BUCKET/PATH{below}"
    )
