"""The data that the checks read: the snapshot as a frame, columns by role, thresholds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contract.config import Config, Gate, safe_name
from contract.exceptions import DataError
from job.gate.anomalies import Anomalies, find_anomalies
from job.sources.annotations import Annotations, with_annotations
from job.sources.snapshot import Evidence, Snapshot


@dataclass(frozen=True, kw_only=True)
class Data:
    """The data of one run.

    Attributes:
        frame: one row per period; columns are named as in the config, the index is the period.
        config: the resolved config, with the dated events of `annotations` among its factors.
        evidence: what extraction counted in the rows behind the periods.
        today: the date that freshness is measured against.
        previous: `data_quality.json` of the market's last accepted run.
        annotations: the market's dated events, if the config names a file of them.
    """

    frame: pd.DataFrame
    config: Config
    evidence: Evidence
    today: date
    previous: dict[str, Any] | None = None
    annotations: Annotations | None = None
    _anomalies: dict[str, Anomalies] = field(default_factory=dict, repr=False)

    @property
    def gate(self) -> Gate:
        """Return the config's thresholds."""
        return self.config.gate

    @cached_property
    def roles(self) -> dict[str, list[str]]:
        """Return the columns by role, without exposure columns that are the spend itself."""
        return self.config.columns_by_role()

    @cached_property
    def numeric(self) -> list[str]:
        """Return all columns except factors."""
        factors = set(self.config.factors)
        return [column for column in self.frame.columns if column not in factors]

    @cached_property
    def media(self) -> list[str]:
        """Return paid and organic columns, in which Robyn refuses negative values."""
        return [*self.roles["spend"], *self.roles["exposure"], *self.roles["organic"]]

    @property
    def target(self) -> str:
        """Return the name of the target's column."""
        return self.config.target.column

    @property
    def period(self) -> str:
        """Return "day", "week" or "month"."""
        return self.config.date.frequency.value

    @cached_property
    def dates(self) -> list[date]:
        """Return the first day of each period, in order."""
        return list(self.frame.index)

    @cached_property
    def in_window(self) -> NDArray[Any]:
        """Return which periods are in the modelling window, as (periods,) booleans."""
        start, end = self.config.date.window_start, self.config.date.window_end
        return np.array([(not start or d >= start) and (not end or d <= end) for d in self.dates])

    @cached_property
    def past_dates(self) -> list[date]:
        """Return the periods that do not start in the future."""
        # one day of tolerance: in the data's time zone it may already be tomorrow
        return [day for day in self.dates if day <= self.today + timedelta(days=1)]

    def anomalies(self, column: str) -> Anomalies:
        """Return the level shift and the outliers of a column; the result is cached."""
        if column not in self._anomalies:
            ratio = self.gate.level_shift_ratio
            self._anomalies[column] = find_anomalies(self.values(column), min_ratio=ratio)
        return self._anomalies[column]

    def values(self, column: str) -> NDArray[Any]:
        """Return the numbers of a column, as (periods,) floats with NaN for missing values."""
        numbers: NDArray[Any] = self.frame[column].to_numpy(dtype=float)
        return numbers


def read(
    snapshot: Snapshot, config: Config, *, today: date, previous: dict[str, Any] | None
) -> Data:
    """Read a snapshot into the form that the checks need.

    Raises:
        DataError: The snapshot has columns that the config does not use.
    """
    config = with_annotations(config, snapshot.annotations)
    frame = pd.read_parquet(snapshot.path)
    frame = frame.set_index(snapshot.date_column)
    config_names = {
        safe_name(c): c for columns in config.columns_by_role().values() for c in columns
    }
    unknown = [column for column in frame.columns if column not in config_names]
    if unknown:
        raise DataError(f"the snapshot has columns that the config does not use: {unknown}")
    return Data(
        frame=frame.rename(columns=config_names),
        config=config,
        evidence=snapshot.evidence,
        today=today,
        previous=previous,
        annotations=snapshot.annotations,
    )
