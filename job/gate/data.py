"""What the checks look at: the snapshot as a frame, columns by role, thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from contract.config import Config, Gate, safe_name
from contract.exceptions import DataError
from job.annotations.events import Annotations, with_events
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
