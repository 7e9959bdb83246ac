"""Which files of its own machine a run may read.

A config that arrives in a message, or from the bucket, was written by somebody else. Its paths may
name objects of buckets (as far as the job's account may read them) and files in the deployment's
data folder. Other files of the machine, such as mounted secrets, are refused. If the bucket is a
folder, or a person starts the run here, the writer of the config can read this machine anyway.
"""

from __future__ import annotations

from pathlib import Path

from contract.exceptions import ConfigError
from contract.source import Source


def may_read_files(via: str, store_url: str) -> bool:
    """Return whether a run's config may name any file of this machine.

    Args:
        via: How the run was started (`Origin.via`).
        store_url: The bucket's address.
    """
    return via == "command" or not store_url.startswith("gs://")


def check_source(source: Source, *, local_files: bool, data_folder: Path | None) -> None:
    """Refuse a source that is a file which the run may not read, before anything opens it.

    Raises:
        ConfigError: it is.
    """
    path = getattr(source, "path", None)
    if path is None or path.startswith("gs://") or local_files:
        return
    if data_folder is not None and Path(path).resolve().is_relative_to(data_folder.resolve()):
        return
    below = f" or a file below {data_folder}" if data_folder is not None else ""
    raise ConfigError(
        f"`source.path` is `{path}`; allowed in this deployment: gs://BUCKET/PATH{below}"
    )
