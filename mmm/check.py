"""Read and check the data of a config, without training."""

from __future__ import annotations

from typing import Any

from contract.config import Config
from job.gate import Verdict, check
from job.runtime.temporary import TemporaryFolder
from job.sources import extract
from job.sources.local_files import check_source
from job.train.holidays import check_country


def check_data(
    config: Config, *, previous: dict[str, Any] | None = None, local_files: bool = True
) -> Verdict:
    """Return the verdict of the gate on the data of a config.

    Args:
        config: The config.
        previous: `data_quality.json` of the market's last accepted run, to compare with.
        local_files: Whether the config may name files of this machine.

    Raises:
        ConfigError: the config cannot be run.
        DataError: the data cannot be read.
        ServiceError, TransientError: the warehouse refuses or is unreachable.
    """
    check_source(config.source, local_files=local_files, data_folder=None)
    check_country(config)
    with TemporaryFolder("check-") as folder:
        path = folder.path / "snapshot.parquet"
        snapshot = extract(config, run_id="check", to=path, local_annotations=local_files)
        return check(snapshot, config, previous=previous)
