"""The inputs of the report: tables, metrics, config and the run's record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from contract.config import Config
from contract.exceptions import ArtifactError
from job.report.units import Units

_KINDS = {"paid_media": "paid", "organic": "organic", "context": "context"}


@dataclass(frozen=True, kw_only=True)
class ReportInputs:
    """The results and the record of a finished training.

    Attributes:
        tables: the folder of `<table>.parquet`, with the columns of `job/outputs/tables.py`.
        metrics: the content of `metrics.json`.
        config: the resolved config.
        run: the known parts of the manifest: `run_id`, `created_at`, `engine`, `search`, `robyn`,
            `selfcheck`, `seed`, `trials`, `iterations`, `cores`, `config_hash`, `data` (`rows`,
            `columns`, `first_date`, `last_date`, `source`, `sql`, `sha256`), `versions` (name to
            version, or group to such a mapping), `steps` (`name`, `seconds`), `timings` (seconds of
            R's steps), `warnings`.
        quality: the content of `data_quality.json`; None if the data was not checked.
        drift: the comparison with the market's current run, as in the run's event; None if there
            was none.
        files: the run's other artifacts, as paths relative to the report.
    """

    tables: Path
    metrics: Mapping[str, Any]
    config: Config
    run: Mapping[str, Any]
    quality: Mapping[str, Any] | None = None
    drift: Mapping[str, Any] | None = None
    files: Sequence[str] = ()

    def table(self, name: str, *, best: bool = True) -> pd.DataFrame:
        """Read a table; `best` selects the rows of the chosen model.

        Raises:
            ArtifactError: The table does not exist.
        """
        path = self.tables / f"{name}.parquet"
        if not path.is_file():
            raise ArtifactError(f"the report needs table `{name}`, but {self.tables} lacks it")
        filters = [("is_best_model", "=", True)] if best else None
        frame: pd.DataFrame = pq.read_table(path, filters=filters).to_pandas()
        return frame

    @cached_property
    def components(self) -> pd.DataFrame:
        """Return the chosen model's decomposition with `component` and `group`, baseline first."""
        frame = self.table("decomposition")
        if frame.empty:
            raise ArtifactError("the chosen model has no rows in table `decomposition`")
        frame["component"] = frame["channel"].fillna(frame["variable"])
        frame["group"] = frame["kind"].map(_KINDS).fillna("baseline")
        order = ["baseline", "context", "organic", "paid"]
        rank = frame["group"].map(order.index)
        return frame.iloc[rank.argsort(kind="stable")].reset_index(drop=True)

    @cached_property
    def paid(self) -> pd.DataFrame:
        """Return the paid channels of `components`."""
        return self.components[self.components["group"] == "paid"].reset_index(drop=True)

    @cached_property
    def by_period(self) -> pd.DataFrame:
        """Return `date`, `actual` and `predicted` of the chosen model, one row per period."""
        rows = self.table("decomposition_by_date")
        frame = rows.groupby("date", sort=True)[["actual", "predicted"]].first().reset_index()
        frame["date"] = pd.to_datetime(frame["date"])
        return frame

    @cached_property
    def units(self) -> Units:
        """Return the units of money, of the target, and of ROAS or CPA."""
        return Units.of(self.config.target)

    @property
    def posterior(self) -> Mapping[str, Any] | None:
        """Return what the posterior says, None if the run has none."""
        return self.metrics.get("posterior")

    @property
    def first_day(self) -> str:
        """Return the first day of the modelling window."""
        return str(self.metrics.get("window_start"))

    @property
    def last_day(self) -> str:
        """Return the last day of the modelling window; `window_end` begins the last period."""
        begin = pd.Timestamp(self.metrics["window_end"])
        ends = {
            "week": begin + pd.Timedelta(days=6),
            "month": begin + pd.offsets.MonthEnd(0),
        }
        return str(ends.get(self.period, begin).date())

    @property
    def period(self) -> str:
        """Return "day", "week" or "month"."""
        return self.config.date.frequency.value

    @property
    def is_robyn(self) -> bool:
        """Return whether Robyn trained the model."""
        return self.run.get("engine") == "robyn"

    @property
    def engine(self) -> str:
        """Return the engine's name, with its version if it is Robyn."""
        if self.is_robyn:
            return f"Robyn {self.run.get('robyn') or '(version not recorded)'}"
        return str(self.run.get("engine", "not recorded"))
