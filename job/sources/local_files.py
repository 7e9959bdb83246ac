"""Decide which local files a run may read.

The author of a config that arrives in a message or from the bucket may not be trusted with this
machine. Paths in such a config may name objects in buckets (if the job's account can read them) and
files in the deployment's data folder. Other local files, such as mounted secrets, are refused. If
the bucket is a folder, or a person starts the run on this machine, the config's author has access
to the machine anyway, so all files are allowed.
"""

from __future__ import annotations

from pathlib import Path

from contract.exceptions import ConfigError
from contract.source import Source


def may_read_files(via: str, store_url: str) -> bool:
    """Return whether a run's config may name any local file.

    Args:
        via: How the run was started (`Origin.via`).
        store_url: The bucket's address.
    """
    return via == "command" or not store_url.startswith("gs://")


def check_source(source: Source, *, local_files: bool, data_folder: Path | None) -> None:
    """Refuse a source that is a local file the run may not read.

    Args:
        source: The config's source.
        local_files: Whether all local files are allowed.
        data_folder: The folder whose files are always allowed.

    Raises:
        ConfigError: The source is a local file outside `data_folder`, and `local_files` is false.
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
