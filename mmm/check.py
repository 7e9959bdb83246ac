"""Read and check the data of a config, without training."""

from __future__ import annotations

from typing import Any

from contract.config import Config
from job.gate import Verdict, check
from job.runtime.temporary import TemporaryFolder
from job.sources import extract
from job.train.holidays import check_country


def check_data(config: Config, *, previous: dict[str, Any] | None = None) -> Verdict:
    """Return the verdict of the gate on the data of a config.

    Args:
        config: The config.
        previous: `data_quality.json` of the market's last accepted run, to compare with.

    Raises:
        ConfigError: the config cannot be run.
        DataError: the data cannot be read.
        ServiceError, TransientError: the warehouse refuses or is unreachable.
    """
    check_country(config)
    with TemporaryFolder("check-") as folder:
        snapshot = extract(config, run_id="check", to=folder.path / "snapshot.parquet")
        return check(snapshot, config, previous=previous)
