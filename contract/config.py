"""The config of one market's model: every field, its default and what is allowed.

`loading.load_config` reads it from YAML or JSON; `docs/config.schema.json` is generated from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from contract.base import Strict, canonical_json, sha256_hex
from contract.calibration import Calibration, outside, unknown_channels
from contract.columns import repeated_columns, reserved_columns, safe_name, unknown_columns
from contract.dates import DateRange, Fill, Frequency, Weekday
from contract.faults import Fault, Place, path_of, refuse
from contract.gate import Gate
from contract.hyperparameters import Space, nothing_to_search, unknown_names
from contract.limits import Limits, Promotion, WhenBusy
from contract.numbers import NumberFormat, Numbers
from contract.outputs import Allocator, AllocatorScenario, IntervalMethod, Intervals, Outputs
from contract.posterior import Posterior, prior_faults
from contract.roles import Aggregation, Channel, Target, TargetKind
from contract.source import EventsFile, Source
from contract.text import Column, PathPart
from contract.training import ROBYN_NEEDS_PROPHET, Engine, ProphetVar, Sign, Training
from contract.verdict import VerdictThresholds

__all__ = [
    "Aggregation",
    "Allocator",
    "AllocatorScenario",
    "Channel",
    "Config",
    "DateRange",
    "Fill",
    "Frequency",
    "Gate",
    "IntervalMethod",
    "Intervals",
    "Limits",
    "NumberFormat",
    "Numbers",
    "Outputs",
    "Promotion",
    "Target",
    "TargetKind",
    "Weekday",
    "WhenBusy",
    "hash_of",
    "safe_name",
]


def _no_bool(value: Any) -> Any:
    """Refuse `true`, which is equal to 1 in Python."""
    if isinstance(value, bool):
        raise PydanticCustomError("literal_error", "Input should be 1")
    return value


Version = Annotated[Literal[1], BeforeValidator(_no_bool)]


class Config(Strict):
    """One market's model."""

    version: Version
    market: PathPart = Field(description="Country or market code, e.g. DE.")
    revision: PathPart = Field(description="Name of this version of the model.")
    source: Source
    date: DateRange
    numbers: Numbers = Field(
        default=Numbers(),
        description="How text columns write numbers; as 1234.56 if left out.",
    )
    target: Target
    channels: list[Channel] = Field(min_length=1, max_length=60)
    organic: list[Column] = Field(
        default=[], max_length=60, description="Columns of media without spend."
    )
    context: list[Column] = Field(
        default=[], max_length=60, description="Columns of other numeric drivers, e.g. prices."
    )
    factors: list[Column] = Field(
        default=[],
        max_length=30,
        description="Columns of drivers that are categories, not numbers.",
    )
    signs: dict[Column, Sign] = Field(
        default={},
        description="Signs of organic and context columns; by default organic is positive.",
    )
    aggregation: dict[Column, Aggregation] = Field(
        default={}, description="How the rows of one period become one; by default the sum."
    )
    annotations: EventsFile | None = Field(
        default=None,
        description="CSV of dated events (`date` or `from` and `to`, `name`, optional `market`), "
        "local or gs://; each name becomes a factor.",
    )
    calibration: list[Calibration] = Field(
        default=[], max_length=200, description="Lift tests that the models are calibrated to."
    )
    training: Training = Training()
    posterior: Posterior = Posterior()
    outputs: Outputs = Outputs()
    gate: Gate = Gate()
    verdict: VerdictThresholds = VerdictThresholds()
    promotion: Promotion = Promotion()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse(
            chain(
                self._column_faults(),
                self._name_faults(),
                self._calibration_faults(),
                self._hyperparameter_faults(),
                self._prophet_faults(),
                self._prior_faults(),
            )
        )
        return self

    def _column_faults(self) -> Iterator[Fault]:
        renamed, drivers = self._uses()
        yield from repeated_columns([*renamed, *drivers])
        yield from reserved_columns(drivers, renamed, self.training.prophet)

    def _uses(self) -> tuple[list[tuple[Place, str]], list[tuple[Place, str]]]:
        """Places that name a column, each with the column: date and target, then the drivers."""
        renamed: list[tuple[Place, str]] = [
            (("date", "column"), self.date.column),
            (("target", "column"), self.target.column),
        ]
        drivers: list[tuple[Place, str]] = []
        for index, channel in enumerate(self.channels):
            drivers.append((("channels", index, "spend"), channel.spend))
            if channel.exposure and channel.exposure != channel.spend:
                drivers.append((("channels", index, "exposure"), channel.exposure))
        for field in ("organic", "factors", "context"):
            drivers += [
                ((field, index), column)
                for index, column in enumerate(getattr(self, field))
                if field != "context" or column not in self.factors
            ]
        return renamed, drivers

    def _name_faults(self) -> Iterator[Fault]:
        seen: dict[str, int] = {}
        for index, channel in enumerate(self.channels):
            first = seen.setdefault(channel.name, index)
            if first != index:
                other = path_of(("channels", first, "name"))
                yield Fault(
                    at=("channels", index, "name"),
                    problem=f"is `{channel.name}`, as is `{other}`; allowed: a different name",
                )
        known = {column for columns in self.columns_by_role().values() for column in columns}
        for place, named in (
            (("aggregation",), self.aggregation),
            (("signs",), self.signs),
            (("numbers", "columns"), self.numbers.columns),
        ):
            for fault in unknown_columns(named, known):
                yield Fault(at=(*place, *fault.at), problem=fault.problem)

    def _calibration_faults(self) -> Iterator[Fault]:
        names = {channel.name for channel in self.channels} | set(self.organic)
        first, last = self.date.earliest_modelled(), self.date.latest_modelled()
        unknown = unknown_channels(self.calibration, names)
        for fault in chain(unknown, outside(self.calibration, first, last)):
            yield Fault(at=("calibration", *fault.at), problem=fault.problem)
        weights, objectives = self.training.objective_weights, 3 if self.calibration else 2
        if weights is not None and len(weights) != objectives:
            needed = "NRMSE, DECOMP.RSSD and MAPE" if self.calibration else "NRMSE and DECOMP.RSSD"
            yield Fault(
                at=("training", "objective_weights"),
                problem=f"has {len(weights)} numbers; allowed: {objectives}, for {needed}",
            )

    def _hyperparameter_faults(self) -> Iterator[Fault]:
        given, space = self.training.hyperparameters, self.search_space()
        for fault in chain(unknown_names(given, space), nothing_to_search(given, space)):
            yield Fault(at=("training", "hyperparameters", *fault.at), problem=fault.problem)

    def _prophet_faults(self) -> Iterator[Fault]:
        prophet = self.training.prophet
        if self.date.frequency is Frequency.MONTH and ProphetVar.WEEKDAY in prophet:
            yield Fault(
                at=("training", "prophet", prophet.index(ProphetVar.WEEKDAY)),
                problem="is weekday; allowed with `date.frequency: month`: all but weekday",
            )
        robyn = self.training.engine is Engine.ROBYN
        if robyn and (self.factors or self.annotations) and not prophet:
            yield Fault(at=("training", "prophet"), problem=f"is empty; {ROBYN_NEEDS_PROPHET}")

    def _prior_faults(self) -> Iterator[Fault]:
        names = [channel.name for channel in self.channels]
        yield from prior_faults(self.posterior, names, self.target.kind.value)
        if self.outputs.validation.folds and not self.posterior.enabled:
            yield Fault(
                at=("outputs", "validation", "folds"),
                problem=f"is {self.outputs.validation.folds}, but `posterior.enabled` is false; "
                "allowed: 0, because the posterior makes the predictions",
            )

    def search_space(self) -> Space:
        """What the search space of the model is made of."""
        media = [channel.exposure or channel.spend for channel in self.channels]
        names = {
            name: medium
            for channel, medium in zip(self.channels, media, strict=True)
            for name in (channel.name, channel.spend)
        }
        return Space(
            adstock=self.training.adstock,
            media=[*media, *self.organic],
            other_names=names,
            variables=[*self.training.prophet, *self.context, *self.factors],
            events=self.annotations is not None,
        )

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
