"""Count evidence for the gate in the streamed periods, and repair incomplete or missing periods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
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
from job.sources.time_zones import DAY, clock_text, midnight_zones

MAX_NOTICES = 2000
MAX_FILLED = 5000
FIRST_YEAR, LAST_YEAR = 1678, 2261  # whole years that fit into nanoseconds
USUAL_SHARE = 0.9  # share of periods above which a pattern is the rule
_EPOCH = date(1970, 1, 1)


def result_schema(config: Config, plan: Plan) -> pa.Schema:
    """Return the schema of the query's result: the snapshot's columns, then the evidence."""
    date_types = {"first_day": pa.date32(), "last_day": pa.date32()}
    values = [pa.field(f"v{i}", column.arrow.type) for i, column in enumerate(plan.columns)]
    return pa.schema(
        [
            pa.field("period", pa.date32()),
            *values,
            *(pa.field(name, date_types.get(name, pa.int64())) for name in PERIOD_EVIDENCE),
            *(pa.field(f"{kind}{i}", pa.int64()) for i, kind in column_evidence(plan)),
        ]
    )


class EvidenceCounter:
    """Counts the evidence in each batch of the result and returns the snapshot's columns."""

    def __init__(self, config: Config, plan: Plan) -> None:
        self._plan = plan
        self._market, self._zone = config.market, config.date.timezone
        self._frequency = config.date.frequency
        self._schema = plan.schema(config)
        self._counts: Counter[str] = Counter()
        self._notices: dict[tuple[date, str], dict[str, int]] = {}
        self._same: Counter[str] = Counter()
        self._copies: dict[str, list[NDArray[Any]]] = {}
        self._repeated_in: list[date] = []
        self._spans: list[NDArray[Any]] = []
        self._clocks: list[tuple[int | None, int | None]] = []

    def count(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Count the evidence in a batch and return its dates and values."""
        columns = {name: batch.column(i) for i, name in enumerate(batch.schema.names)}
        dated = columns["period"].is_valid()
        if columns["period"].null_count:
            undated = batch.filter(columns["period"].is_null())
            self._counts["unreadable_dates"] += undated.column("rows_read")[0].as_py()
            batch = batch.filter(dated)
            columns = {name: batch.column(i) for i, name in enumerate(batch.schema.names)}
        if batch.num_rows:
            self._count_periods(columns)
        width = len(self._schema)
        return pa.RecordBatch.from_arrays(batch.columns[:width], schema=self._schema)

    def _count_periods(self, columns: dict[str, pa.Array]) -> None:
        numbers = {
            name: column.fill_null(0).to_numpy(zero_copy_only=False)
            for name, column in columns.items()
            if pa.types.is_integer(column.type)
        }
        for name in ("rows_read", "days", "repeated", "identical"):
            self._counts[name] += int(numbers[name].sum())
        days = [columns[n].cast(pa.int32()).to_numpy() for n in ("period", "first_day", "last_day")]
        self._spans.append(np.stack([*days, numbers["days"].astype(np.int32)]))
        self._clocks += zip(
            columns["first_clock"].to_pylist(), columns["last_clock"].to_pylist(), strict=True
        )
        periods = columns["period"]
        for row in np.flatnonzero(numbers["repeated"])[: MAX_NOTICES - len(self._repeated_in)]:
            self._repeated_in.append(periods[int(row)].as_py())
        for i, kind in column_evidence(self._plan):
            if kind == "same":
                self._same[self._plan.columns[i].name] += int(numbers[f"same{i}"].sum())
                continue
            if kind == "distinct":
                distinct = np.maximum(numbers[f"distinct{i}"], 1)
                copies = (numbers["rows_read"] / distinct)[numbers["repeated"] > 0]
                self._copies.setdefault(self._plan.columns[i].name, []).append(copies)
                continue
            for row in np.flatnonzero(numbers[f"{kind}{i}"]):
                key = (periods[int(row)].as_py(), self._plan.columns[i].name)
                if key not in self._notices and len(self._notices) >= MAX_NOTICES:
                    break
                self._notices.setdefault(key, {})[kind] = int(numbers[f"{kind}{i}"][row])

    @property
    def unreadable_dates(self) -> int:
        """Return the number of rows with an unreadable date."""
        return self._counts["unreadable_dates"]

    @property
    def days_up_to_12(self) -> bool:
        """Return whether no day of the month is above 12."""
        spans = self.spans()
        return bool(spans.size) and all(_day(day).day <= 12 for day in spans[1:3].ravel())

    def spans(self) -> NDArray[Any]:
        """Return the days that each period's rows span, as a (4, periods) array.

        Its rows are the period, its first and its last day with rows (all as days since 1970), and
        the number of days with rows.
        """
        return np.concatenate(self._spans, axis=1) if self._spans else np.zeros((4, 0), np.int32)

    def evidence(self, *, dropped: tuple[date, ...], filled: tuple[date, ...]) -> Evidence:
        """Return everything counted, without the notices of dropped periods."""
        spans = self.spans()
        thin, missing_days = _thin(spans, self._frequency)
        midnight_in, clocks = self._midnights(spans)
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
            crowded=_crowded(spans),
            source_last_day=_day(spans[2].max()) if spans.size else None,
            weekday_of_rows=_weekday(spans),
            repeated_values=dict(self._same),
            copies={name: _usual_copies(parts) for name, parts in self._copies.items()},
            midnight_in=midnight_in,
            clocks=clocks,
        )

    def _midnights(self, spans: NDArray[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return (zones in which all moments are midnight, usual times in UTC)."""
        timed = [
            ((_day(first), _day(last)), (early % DAY, late % DAY))
            for first, last, (early, late) in zip(spans[1], spans[2], self._clocks, strict=True)
            if early is not None and late is not None
        ]
        usual = Counter(time for _, times in timed for time in times).most_common(3)
        zones = midnight_zones(
            [days for days, _ in timed],
            [times for _, times in timed],
            market=self._market,
            also=self._zone,
        )
        return zones, tuple(sorted(clock_text(time) for time, _ in usual))


def check_range(spans: NDArray[Any], column: str, *, where: Callable[[], str]) -> None:
    """Refuse dates that no data has, such as 9999-12-31 for "no end"; `where` lists them.

    Raises:
        DataError: a period begins before FIRST_YEAR or ends after LAST_YEAR.
    """
    for row, position in ((1, 0), (2, -1)):
        day = _day(np.sort(spans[row])[position])
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise DataError(
                f"`{column}` has the date {day}; allowed: years {FIRST_YEAR} to {LAST_YEAR}. Such "
                "a date usually stands for a missing one: correct it, or set `date.start` and "
                f"`date.end`, which leave it out. Found: {where()}"
            )


def incomplete_edges(spans: NDArray[Any], frequency: Frequency) -> tuple[date, ...]:
    """Return the first and the last period if their rows cover less than those of other periods.

    A table that grows daily usually ends in the middle of a week or month. A model would read the
    incomplete period as a drop. Periods of one day are always complete.
    """
    if frequency is Frequency.DAY or spans.shape[1] < 5:
        return ()
    period, first, last, days = spans
    missing_at_start, missing_at_end = first - period, _ends(period, frequency) - last
    several = days > 1
    steps = (last - first)[several] / (days[several] - 1)
    step = float(np.median(steps)) if steps.size else 1.0
    incomplete = []
    for missing, position in ((missing_at_start, 0), (missing_at_end, -1)):
        usual = np.quantile(missing[1:-1], 0.95, method="higher")
        if missing[position] > max(usual, step - 1):
            incomplete.append(_day(period[position]))
    return tuple(dict.fromkeys(incomplete))


def missing_periods(periods: list[date], frequency: Frequency) -> list[date]:
    """Return the periods without rows between the first and the last."""
    if not periods:
        return []
    present = set(periods)
    return [day for day in calendar(periods[0], periods[-1], frequency) if day not in present]


def calendar(first: date, last: date, frequency: Frequency) -> list[date]:
    """Return the first day of each period from `first` to `last`."""
    step = {Frequency.DAY: "D", Frequency.WEEK: "7D", Frequency.MONTH: "MS"}[frequency]
    return [moment.date() for moment in pd.date_range(first, last, freq=step)]


def repair(
    table: pa.Table, config: Config, plan: Plan, *, dropped: tuple[date, ...]
) -> tuple[pa.Table, tuple[date, ...]]:
    """Remove the dropped periods and fill missing periods and values as the config says.

    Returns:
        The repaired table, and the periods that it filled.

    Raises:
        DataError: More than `MAX_FILLED` periods are missing.
    """
    schema = table.schema
    frame = table.to_pandas(date_as_object=True).set_index(schema.names[0])
    frame = frame.drop(index=list(dropped))
    added: list[date] = []
    if config.date.fill is Fill.ZERO and len(frame):
        added = missing_periods(list(frame.index), config.date.frequency)
        if len(added) > MAX_FILLED:
            raise DataError(
                f"{len(added):,} periods between {frame.index[0]} and {frame.index[-1]} have no "
                f"row; `date.fill` fills at most {MAX_FILLED:,}. Check these two dates"
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


def needs_repair(config: Config, table_nulls: int, spans: NDArray[Any], dropped: object) -> bool:
    """Return whether the streamed file must be rewritten by `repair`."""
    if dropped or (config.gate.max_missing_share > 0 and table_nulls):
        return True
    if config.date.fill is Fill.NONE or not spans.shape[1]:
        return False
    periods = [_day(day) for day in spans[0]]
    return bool(missing_periods(periods, config.date.frequency))


def _ends(periods: NDArray[Any], frequency: Frequency) -> NDArray[Any]:
    """Return the last day of each period, as days since 1970."""
    if frequency is Frequency.WEEK:
        return periods + 6
    months = periods.astype("datetime64[D]").astype("datetime64[M]") + np.timedelta64(1, "M")
    ends: NDArray[Any] = months.astype("datetime64[D]").astype(np.int64) - 1
    return ends


def _weekday(spans: NDArray[Any]) -> int | None:
    """Return the weekday of the rows (0 is Monday) if each period has one row on that weekday."""
    if not spans.size or (spans[3] > 1).any():
        return None
    weekdays = {(int(day) + _EPOCH.weekday()) % 7 for day in spans[1]}
    return weekdays.pop() if len(weekdays) == 1 else None


def _thin(spans: NDArray[Any], frequency: Frequency) -> tuple[tuple[date, ...], int]:
    """Return (periods that lack rows on some days, number of those days) of a daily table.

    The result is empty unless rows are usually daily. The first and the last period are not
    included; `incomplete_edges` handles them.
    """
    if frequency is Frequency.DAY or spans.shape[1] < 5:
        return (), 0
    period, _, _, days = spans[:, 1:-1]
    missing_days = _ends(period, frequency) - period + 1 - days
    if np.mean(missing_days == 0) < USUAL_SHARE:
        return (), 0
    return tuple(_day(day) for day in period[missing_days > 0]), int(missing_days.sum())


def _crowded(spans: NDArray[Any]) -> tuple[date, ...]:
    """Return periods with rows of several days, if one day per period is usual."""
    if not spans.size or np.mean(spans[3] == 1) < USUAL_SHARE:
        return ()
    return tuple(_day(day) for day in spans[0][spans[3] > 1])


def _usual_copies(parts: list[NDArray[Any]]) -> float:
    """Return how often each value occurs on a day, if that is nearly always the same; else 1."""
    copies = np.concatenate(parts)
    if not copies.size:
        return 1.0
    usual = float(np.median(copies))
    is_steady = np.mean(np.isclose(copies, usual)) >= USUAL_SHARE
    return usual if is_steady or np.quantile(copies, 0.1) > 1.5 else 1.0


def _day(days: int) -> date:
    """Return the date that is `days` days after 1970-01-01."""
    return _EPOCH + timedelta(days=int(days))
