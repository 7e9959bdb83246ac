"""What the stream of periods tells: evidence for the gate, broken edges, missing periods."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from contract.config import Aggregation, Config, Fill, Frequency
from contract.exceptions import DataError
from job.sources.plan import Plan
from job.sources.snapshot import Evidence, Notice
from job.sources.sql import PERIOD_EVIDENCE, column_evidence

MAX_NOTICES = 2000
MAX_FILLED = 5000
USUAL = 0.9  # share of periods that makes a rule
_EPOCH = date(1970, 1, 1)


def result_schema(config: Config, plan: Plan) -> pa.Schema:
    """Types of the query's result: the snapshot's, then evidence."""
    counts = {"first_day": pa.date32(), "last_day": pa.date32()}
    values = [pa.field(f"v{i}", column.arrow.type) for i, column in enumerate(plan.columns)]
    return pa.schema(
        [
            pa.field("period", pa.date32()),
            *values,
            *(pa.field(name, counts.get(name, pa.int64())) for name in PERIOD_EVIDENCE),
            *(pa.field(f"{kind}{i}", pa.int64()) for i, kind in column_evidence(plan)),
        ]
    )


class Tally:
    """Takes batches of the result, keeps the evidence, gives on the snapshot's columns."""

    def __init__(self, config: Config, plan: Plan) -> None:
        self._plan = plan
        self._frequency = config.date.frequency
        self._schema = plan.schema(config)
        self._counts: Counter[str] = Counter()
        self._notices: dict[tuple[date, str], dict[str, int]] = {}
        self._repeated_in: list[date] = []
        self._edges: list[NDArray[Any]] = []
        self.last_day: date | None = None

    def take(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Count a batch and return its dates and values."""
        named = {name: batch.column(i) for i, name in enumerate(batch.schema.names)}
        dated = named["period"].is_valid()
        if named["period"].null_count:
            lost = batch.filter(named["period"].is_null())
            self._counts["unreadable_dates"] += lost.column("rows_read")[0].as_py()
            batch = batch.filter(dated)
            named = {name: batch.column(i) for i, name in enumerate(batch.schema.names)}
        if batch.num_rows:
            self._count(named)
        width = len(self._schema)
        return pa.RecordBatch.from_arrays(batch.columns[:width], schema=self._schema)

    def _count(self, named: dict[str, pa.Array]) -> None:
        numbers = {
            name: column.fill_null(0).to_numpy(zero_copy_only=False)
            for name, column in named.items()
            if pa.types.is_integer(column.type)
        }
        for name in ("rows_read", "days", "repeated", "identical"):
            self._counts[name] += int(numbers[name].sum())
        edges = [named[n].cast(pa.int32()).to_numpy() for n in ("period", "first_day", "last_day")]
        self._edges.append(np.stack([*edges, numbers["days"].astype(np.int32)]))
        periods = named["period"]
        for row in np.flatnonzero(numbers["repeated"])[: MAX_NOTICES - len(self._repeated_in)]:
            self._repeated_in.append(periods[int(row)].as_py())
        for i, kind in column_evidence(self._plan):
            for row in np.flatnonzero(numbers[f"{kind}{i}"]):
                key = (periods[int(row)].as_py(), self._plan.columns[i].name)
                if key not in self._notices and len(self._notices) >= MAX_NOTICES:
                    break
                self._notices.setdefault(key, {})[kind] = int(numbers[f"{kind}{i}"][row])

    @property
    def unreadable_dates(self) -> int:
        """Rows whose date could not be read."""
        return self._counts["unreadable_dates"]

    def edges(self) -> NDArray[Any]:
        """(4, periods): period, first day, last day as days since 1970, number of days."""
        return np.concatenate(self._edges, axis=1) if self._edges else np.zeros((4, 0), np.int32)

    def evidence(self, *, dropped: tuple[date, ...], filled: tuple[date, ...]) -> Evidence:
        """All that was counted; periods that were dropped take their notices with them."""
        edges = self.edges()
        thin, missing_days = _thin(edges, self._frequency)
        notices = tuple(
            Notice(
                column=column,
                period=period,
                missing=counts.get("empty", 0),
                unreadable=counts.get("unreadable", 0),
                negative=counts.get("negative", 0),
            )
            for (period, column), counts in sorted(self._notices.items())
            if period not in dropped
        )
        return Evidence(
            rows_read=self._counts["rows_read"],
            unreadable_dates=self._counts["unreadable_dates"],
            days=self._counts["days"],
            repeated_days=self._counts["repeated"],
            identical_days=self._counts["identical"],
            repeated_in=tuple(p for p in self._repeated_in if p not in dropped),
            notices=notices,
            dropped=dropped,
            filled=filled,
            thin=tuple(p for p in thin if p not in dropped),
            missing_days=missing_days,
            crowded=_crowded(edges),
            source_last_day=_day(edges[2].max()) if edges.size else None,
            weekday_of_rows=_weekday(edges),
        )


def broken_edges(edges: NDArray[Any], frequency: Frequency) -> tuple[date, ...]:
    """First and last period, where rows cover less of them than of the periods between.

    A table that is filled daily always ends in the middle of a week or month; a model would take
    that for a drop. Periods of one day cannot be broken.
    """
    if frequency is Frequency.DAY or edges.shape[1] < 5:
        return ()
    period, first, last, days = edges
    head, tail = first - period, _ends(period, frequency) - last
    spread = days > 1
    steps = (last - first)[spread] / (days[spread] - 1)
    step = float(np.median(steps)) if steps.size else 1.0
    broken = []
    for slack, position in ((head, 0), (tail, -1)):
        usual = np.quantile(slack[1:-1], 0.95, method="higher")
        if slack[position] > max(usual, step - 1):
            broken.append(_day(period[position]))
    return tuple(dict.fromkeys(broken))


def missing_periods(periods: list[date], frequency: Frequency) -> list[date]:
    """Periods without rows between the first and the last."""
    if not periods:
        return []
    there = set(periods)
    return [day for day in calendar(periods[0], periods[-1], frequency) if day not in there]


def calendar(first: date, last: date, frequency: Frequency) -> list[date]:
    """First days of all periods from first to last."""
    step = {Frequency.DAY: "D", Frequency.WEEK: "7D", Frequency.MONTH: "MS"}[frequency]
    return [moment.date() for moment in pd.date_range(first, last, freq=step)]


def repair(
    table: pa.Table, config: Config, plan: Plan, *, dropped: tuple[date, ...]
) -> tuple[pa.Table, tuple[date, ...]]:
    """Leave out broken edges and fill as the config says; returns the periods that were filled.

    Raises:
        DataError: more periods would be filled than can be meant.
    """
    schema = table.schema
    frame = table.to_pandas(date_as_object=True).set_index(schema.names[0])
    frame = frame.drop(index=list(dropped))
    added: list[date] = []
    if config.date.fill is Fill.ZERO and len(frame):
        added = missing_periods(list(frame.index), config.date.frequency)
        if len(added) > MAX_FILLED:
            raise DataError(
                f"{len(added)} periods between {frame.index[0]} and {frame.index[-1]} have no row; "
                f"allowed with `date.fill`: at most {MAX_FILLED}. Is a date wrong?"
            )
        frame = frame.reindex(sorted([*frame.index, *added]))
    for column in plan.columns:
        values = frame[column.safe]
        replaced = (
            values.fillna(0.0)
            if column.aggregation is Aggregation.SUM and not column.as_text
            else values.ffill().bfill()
        )
        if added:
            frame.loc[added, column.safe] = replaced.loc[added]
        share = values.drop(index=added).isna().mean()
        if 0 < share <= config.gate.max_missing_share:
            frame[column.safe] = replaced
    filled = pa.Table.from_pandas(frame.reset_index(), schema=schema, preserve_index=False)
    return filled.replace_schema_metadata(None), tuple(added)


def needs_repair(config: Config, table_nulls: int, edges: NDArray[Any], dropped: object) -> bool:
    """Whether the streamed file must be written anew."""
    if dropped or (config.gate.max_missing_share > 0 and table_nulls):
        return True
    if config.date.fill is Fill.NONE or not edges.shape[1]:
        return False
    periods = [_day(day) for day in edges[0]]
    return bool(missing_periods(periods, config.date.frequency))


def _ends(periods: NDArray[Any], frequency: Frequency) -> NDArray[Any]:
    if frequency is Frequency.WEEK:
        return periods + 6
    months = periods.astype("datetime64[D]").astype("datetime64[M]") + 1
    ends: NDArray[Any] = months.astype("datetime64[D]").astype(np.int64) - 1
    return ends


def _weekday(edges: NDArray[Any]) -> int | None:
    """Weekday of the rows (0 Monday) if every period has one row, always on the same weekday."""
    if not edges.size or (edges[3] > 1).any():
        return None
    weekdays = {(int(day) + _EPOCH.weekday()) % 7 for day in edges[1]}
    return weekdays.pop() if len(weekdays) == 1 else None


def _thin(edges: NDArray[Any], frequency: Frequency) -> tuple[tuple[date, ...], int]:
    """(periods without rows on some days, number of those days) where rows are daily as a rule.

    The first and the last period are left out: `broken_edges` judges them.
    """
    if frequency is Frequency.DAY or edges.shape[1] < 5:
        return (), 0
    period, _, _, days = edges[:, 1:-1]
    lacking = _ends(period, frequency) - period + 1 - days
    if np.mean(lacking == 0) < USUAL:
        return (), 0
    return tuple(_day(day) for day in period[lacking > 0]), int(lacking.sum())


def _crowded(edges: NDArray[Any]) -> tuple[date, ...]:
    """Periods with rows of several days where one day a period is the rule."""
    if not edges.size or np.mean(edges[3] == 1) < USUAL:
        return ()
    return tuple(_day(day) for day in edges[0][edges[3] > 1])


def _day(days: int) -> date:
    return _EPOCH + timedelta(days=int(days))
