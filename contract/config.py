"""The config of one market's model: what people write, every key checked, every default here.

`loading.load_config` reads it from YAML or JSON; `docs/config.schema.json` is made from it.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import Field, StringConstraints, model_validator

from contract.base import Strict, canonical_json, later, sha256_hex
from contract.source import Column, Source
from contract.suggest import did_you_mean
from contract.training import Calibration, Sign, Training

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
PathPart = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,62}$")]


class Frequency(StrEnum):
    """Length of one period of the model."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Aggregation(StrEnum):
    """How a column's rows become one row per period."""

    SUM = "sum"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"


class Weekday(StrEnum):
    """First day of a week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Fill(StrEnum):
    """What becomes of periods without any row."""

    NONE = "none"
    ZERO = "zero"


class TargetKind(StrEnum):
    """Revenue gives ROAS, conversions give CPA."""

    REVENUE = "revenue"
    CONVERSION = "conversion"


class AllocatorScenario(StrEnum):
    """Robyn's budget allocator scenarios."""

    MAX_RESPONSE = "max_response"
    TARGET_EFFICIENCY = "target_efficiency"


class DateRange(Strict):
    """The date column and the modelling window."""

    column: Column
    start: date | None = Field(
        default=None, description="First date; the data's first if left out."
    )
    end: date | None = Field(default=None, description="Last date; the data's last if left out.")
    window_start: date | None = Field(
        default=None,
        description="First date that is modelled; rows before it serve prophet and adstock.",
    )
    window_end: date | None = Field(default=None, description="Last date that is modelled.")
    frequency: Frequency = Frequency.WEEK
    week_start: Weekday = Weekday.MONDAY
    format: str | None = Field(
        default=None,
        pattern=r"^(%[Ydmby]|[ ./\-])+$",
        max_length=32,
        description="How dates are written in a text column, e.g. %d.%m.%Y; ISO if left out.",
    )
    timezone: str = Field(
        default="UTC",
        pattern=r"^[A-Za-z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+){0,2}$",
        max_length=64,
        description="Zone whose days count where the column holds moments with a zone.",
    )
    fill: Fill = Field(
        default=Fill.NONE,
        description="Missing periods: `none` leaves them to the gate; `zero` makes rows with 0 in "
        "columns that are summed and the value before in all others.",
    )

    @model_validator(mode="after")
    def _known_zone(self) -> Self:
        if self.timezone == "UTC":
            return self
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, OSError, ValueError):
            raise ValueError(
                f"`timezone` is `{self.timezone}`; allowed: a name such as Europe/Berlin."
                + did_you_mean(self.timezone, available_timezones())
            ) from None
        return self

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start and self.end and self.end <= self.start:
            raise ValueError(f"`end` is {self.end}; allowed: after `start` ({self.start})")
        for name in ("window_start", "window_end"):
            day = getattr(self, name)
            if day and ((self.start and day < self.start) or (self.end and day > self.end)):
                raise ValueError(f"`{name}` is {day}; allowed: from `start` to `end`")
        if self.window_start and self.window_end and self.window_end <= self.window_start:
            raise ValueError(f"`window_end` is {self.window_end}; allowed: after `window_start`")
        return self


class Target(Strict):
    """What is explained."""

    column: Column
    kind: TargetKind = TargetKind.REVENUE


class Channel(Strict):
    """A paid channel: what it cost and, where known, what was seen or clicked."""

    name: Name
    spend: Column
    exposure: Column | None = None
    sign: Sign = Sign.POSITIVE


class Allocator(Strict):
    """One run of the budget allocator."""

    scenario: AllocatorScenario = AllocatorScenario.MAX_RESPONSE
    total_budget: float | None = Field(default=None, gt=0, description="Budget of the date range.")
    target_value: float | None = Field(default=None, gt=0, description="ROAS or CPA aimed at.")
    channel_low: float = Field(default=0.5, ge=0.01, description="Lowest multiple of a spend.")
    channel_high: float = Field(default=2.0, le=100, description="Highest multiple of a spend.")


class Validation(Strict):
    """Rolling validation: the chosen model, refitted, predicts periods it was not fitted to."""

    folds: int = Field(default=0, ge=0, le=10, description="Times that it predicts; 0: none.")
    horizon: int = Field(default=8, ge=2, le=400, description="Periods that it predicts at once.")


class IntervalMethod(StrEnum):
    """Whence intervals come: alike models (Robyn's way), refits to resampled data, or nowhere."""

    CLUSTER = "cluster"
    BOOTSTRAP = "bootstrap"
    NONE = "none"


class Intervals(Strict):
    """Intervals of ROAS (CPA for conversions) and of contribution shares."""

    method: IntervalMethod = Field(
        default=IntervalMethod.CLUSTER,
        description="`cluster`: how far alike models agree, as Robyn has it; `bootstrap`: how far "
        "the chosen model's figures hang on noise, by refits; `none`.",
    )
    level: float = Field(default=0.95, ge=0.5, le=0.99)
    draws: int = Field(default=500, ge=100, le=10_000, description="Refits of `bootstrap`.")
    block: Literal["auto"] | Annotated[int, Field(ge=1, le=400)] = Field(
        default="auto", description="Periods that `bootstrap` keeps together."
    )

    @model_validator(mode="after")
    def _has_effect(self) -> Self:
        for name in ("draws", "block"):
            if name in self.model_fields_set and self.method is not IntervalMethod.BOOTSTRAP:
                default = type(self).model_fields[name].default
                if getattr(self, name) != default:
                    raise ValueError(f"`{name}` needs `method: bootstrap`")
        return self


class Outputs(Strict):
    """What is made of the models."""

    allocator: list[Allocator] = [Allocator()]
    onepagers: int = Field(default=3, ge=0, le=10, description="One-pagers of the best models.")
    intervals: Intervals = Intervals()
    validation: Validation = Validation()
    include_data: bool = Field(
        default=False, description="Let artifacts carry the input: `data.parquet`, Robyn's data."
    )


class Gate(Strict):
    """Thresholds of the checks before training."""

    min_rows: int = Field(default=40, ge=10, description="Fewest periods that can be modelled.")
    min_rows_per_driver: float = Field(default=10.0, ge=1)
    max_age_days: int | None = Field(
        default=None, ge=0, description="Oldest that the newest row may be; not checked if empty."
    )
    max_missing_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of rows without a value that is filled (0 in columns that are summed, "
        "the value before in all others) instead of blocking.",
    )
    usual_repeats: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Share of days with several rows from which on that is the table's way.",
    )
    min_active_share: float = Field(
        default=0.05, ge=0, le=1, description="Periods in which a channel must have run."
    )
    max_levels: int = Field(default=20, ge=2, description="Levels of a factor.")
    max_zeros_at_end: int = Field(
        default=3, ge=1, description="Zeros at the end of a series that has hardly any before."
    )
    max_vif: float = Field(default=10.0, gt=1, description="Variance inflation factor.")
    max_condition_number: float = Field(default=100.0, gt=1)
    max_mismatch_share: float = Field(
        default=0.1, ge=0, le=1, description="Periods with spend but no exposure, or the reverse."
    )
    outlier_score: float = Field(
        default=8.0, gt=1, description="Robust deviations from the median, of logarithms."
    )
    level_shift_ratio: float = Field(default=3.0, gt=1, description="Lasting change of the level.")
    max_history_change: float = Field(
        default=0.1, ge=0, description="Change of a past quarter against the last accepted run."
    )


class Promotion(Strict):
    """How far a new model may lie from the market's current one."""

    max_roas_change: float | None = later(None, description="Relative change of a channel's ROAS.")
    max_share_change: float | None = later(None, description="Change of a contribution share.")
    min_r2: float | None = later(None, description="Lowest R² of a model that becomes current.")


class WhenBusy(StrEnum):
    """What becomes of a run whose market another run works on."""

    WAIT = "wait"
    REFUSE = "refuse"


class Limits(Strict):
    """What a run may take."""

    timeout_minutes: int = Field(default=120, ge=5, le=7 * 24 * 60)
    when_busy: WhenBusy = Field(
        default=WhenBusy.WAIT,
        description="While another run works on the market, of whatever revision: `wait` for it, "
        "in order of acceptance, or `refuse` to run.",
    )
    max_runs_a_day: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Runs of the market, of whatever revision, that may begin on one day (UTC).",
    )
    max_cost: float | None = Field(
        default=None,
        gt=0,
        description="Highest estimated cost in USD; a run over it is refused before it starts.",
    )
    max_minutes: float | None = Field(
        default=None,
        gt=0,
        description="Highest estimated duration; a run over it is refused before it starts.",
    )


class Config(Strict):
    """One market's model."""

    version: Literal[1]
    market: PathPart = Field(description="Country or market code, e.g. DE.")
    revision: PathPart = Field(description="Name of this version of the model.")
    source: Source
    date: DateRange
    target: Target
    channels: list[Channel] = Field(min_length=1, max_length=60)
    organic: list[Column] = Field(default=[], max_length=60)
    context: list[Column] = Field(default=[], max_length=60)
    factors: list[Column] = Field(default=[], max_length=30)
    signs: dict[Column, Sign] = Field(
        default={}, description="Signs of organic and context columns; default: organic positive."
    )
    aggregation: dict[Column, Aggregation] = Field(
        default={}, description="How rows of one period are joined; default: sum."
    )
    annotations: str | None = Field(
        default=None,
        max_length=1024,
        description="CSV of dated events (`date` or `from` and `to`, `name`, optional `market`), "
        "local or gs://; each name becomes a factor.",
    )
    calibration: list[Calibration] = []
    training: Training = Training()
    outputs: Outputs = Outputs()
    gate: Gate = Gate()
    promotion: Promotion = Promotion()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _columns(self) -> Self:
        roles = self.columns_by_role()
        columns = [column for names in roles.values() for column in dict.fromkeys(names)]
        for column, count in Counter(columns).items():
            if count > 1:
                uses = ", ".join(role for role, names in roles.items() if column in names)
                raise ValueError(f"column `{column}` is used as {uses}; allowed: one use")
        for name, count in Counter(channel.name for channel in self.channels).items():
            if count > 1:
                raise ValueError(f"`channels` has `{name}` twice; names must differ")
        safe = Counter(safe_name(column) for column in dict.fromkeys(columns))
        for column in columns:
            if safe[safe_name(column)] > 1:
                raise ValueError(f"column `{column}` cannot be told from another by letters alone")
        known = set(columns)
        for field in ("aggregation", "signs"):
            for column in getattr(self, field):
                if column not in known:
                    raise ValueError(f"`{field}` names `{column}`, which the config does not use")
        return self

    @model_validator(mode="after")
    def _annotations_file(self) -> Self:
        path = self.annotations
        if path is None:
            return self
        elsewhere = "://" in path and not path.startswith("gs://")
        if elsewhere or not path.isprintable() or not path.lower().endswith(".csv"):
            raise ValueError(f"`annotations` is `{path}`; allowed: a .csv file, local or gs://")
        return self

    @model_validator(mode="after")
    def _calibrated_channels(self) -> Self:
        names = {channel.name for channel in self.channels} | set(self.organic)
        for lift in self.calibration:
            for part in lift.channel.split("+"):
                if part not in names:
                    raise ValueError(
                        f"`calibration` names channel `{part}`; allowed: {', '.join(sorted(names))}"
                    )
        return self

    def columns_by_role(self) -> dict[str, list[str]]:
        """Every column that the config uses, by role, as written in the config."""
        return {
            "date": [self.date.column],
            "target": [self.target.column],
            "spend": [channel.spend for channel in self.channels],
            "exposure": [c.exposure for c in self.channels if c.exposure and c.exposure != c.spend],
            "organic": list(self.organic),
            "context": [column for column in self.context if column not in self.factors],
            "factor": list(self.factors),
        }

    def country(self) -> str:
        """The value by which the source's rows are picked."""
        return self.source.country or self.market

    def hash(self) -> str:
        """SHA-256 of the resolved config: equal for configs that mean the same."""
        return hash_of(self.model_dump(mode="json"))


def hash_of(values: dict[str, Any]) -> str:
    """The hash of a config that is stored with these values."""
    return sha256_hex(canonical_json(values))


def safe_name(column: str) -> str:
    """The column's name in R, in tables and in the snapshot: letters, digits, `_` and `.` only."""
    name = re.sub(r"[^A-Za-z0-9_.]+", "_", column).strip("_.") or "column"
    return name if name[0].isalpha() else f"x{name}"
