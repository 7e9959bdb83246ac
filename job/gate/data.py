"""What the checks look at: the snapshot as a frame, columns by role, thresholds."""

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
from job.gate.level_shifts import Breaks, find_breaks
from job.sources.events import Annotations, with_events
from job.sources.snapshot import Evidence, Snapshot


@dataclass(frozen=True, kw_only=True)
class Data:
    """The data of one run. Frame columns are named as in the config, the index is the period.

    Events of `annotations` are factors of the config here.
    """

    frame: pd.DataFrame
    config: Config
    evidence: Evidence
    today: date
    previous: dict[str, Any] | None = None
    annotations: Annotations | None = None
    _breaks: dict[str, Breaks] = field(default_factory=dict, repr=False)

    @property
    def gate(self) -> Gate:
        """The thresholds."""
        return self.config.gate

    @cached_property
    def roles(self) -> dict[str, list[str]]:
        """Columns by role; exposure columns that are the spend itself are left out."""
        return self.config.columns_by_role()

    @cached_property
    def numeric(self) -> list[str]:
        """All columns of numbers, factors left out."""
        factors = set(self.config.factors)
        return [column for column in self.frame.columns if column not in factors]

    @cached_property
    def media(self) -> list[str]:
        """Paid and organic columns: Robyn refuses negative values in them."""
        return [*self.roles["spend"], *self.roles["exposure"], *self.roles["organic"]]

    @property
    def target(self) -> str:
        """The target's column."""
        return self.config.target.column

    @property
    def period(self) -> str:
        """day, week or month."""
        return self.config.date.frequency.value

    @cached_property
    def dates(self) -> list[date]:
        """First days of the periods, in order."""
        return list(self.frame.index)

    @cached_property
    def inside(self) -> NDArray[Any]:
        """Which periods lie in the modelling window; (periods,) of booleans."""
        start, end = self.config.date.window_start, self.config.date.window_end
        return np.array([(not start or d >= start) and (not end or d <= end) for d in self.dates])

    @cached_property
    def known(self) -> list[date]:
        """Periods that do not lie in the future."""
        # a day of grace, for it may be tomorrow already where the data comes from
        return [day for day in self.dates if day <= self.today + timedelta(days=1)]

    def breaks(self, column: str) -> Breaks:
        """Step and outliers of a column, looked for once."""
        if column not in self._breaks:
            ratio = self.gate.level_shift_ratio
            self._breaks[column] = find_breaks(self.values(column), least=ratio)
        return self._breaks[column]

    def values(self, column: str) -> NDArray[Any]:
        """Numbers of a column, NaN where missing."""
        numbers: NDArray[Any] = self.frame[column].to_numpy(dtype=float)
        return numbers


def read(
    snapshot: Snapshot, config: Config, *, today: date, previous: dict[str, Any] | None
) -> Data:
    """The snapshot as the checks want it.

    Raises:
        DataError: the snapshot is of another config.
    """
    config = with_events(config, snapshot.annotations)
    frame = pd.read_parquet(snapshot.path)
    frame = frame.set_index(snapshot.date_column)
    named = {safe_name(c): c for columns in config.columns_by_role().values() for c in columns}
    unknown = [column for column in frame.columns if column not in named]
    if unknown:
        raise DataError(f"the snapshot has columns that the config does not use: {unknown}")
    return Data(
        frame=frame.rename(columns=named),
        config=config,
        evidence=snapshot.evidence,
        today=today,
        previous=previous,
        annotations=snapshot.annotations,
    )
