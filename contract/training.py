"""How the model is trained: engine, search, trials, adstock, hyperparameters, prophet."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StrictBool, StrictFloat, StrictInt, model_validator

from contract.base import Strict
from contract.faults import Fault, refuse
from contract.hyperparameters import (
    PENALTY,
    ROBYN_REFUSES_PENALTIES,
    Adstock,
    Range,
    bad_ranges,
)


class Engine(StrEnum):
    """Which code makes inputs and outputs; `auto` is Robyn where it is installed, else builtin."""

    AUTO = "auto"
    ROBYN = "robyn"
    BUILTIN = "builtin"


class Search(StrEnum):
    """Which code runs the trials: our fast search, or `robyn_run` itself."""

    FAST = "fast"
    ROBYN = "robyn"


class Optimiser(StrEnum):
    """The nevergrad optimisers that work with Robyn's objectives: they take objective weights.

    The first two run in R with the same draws; nevergrad itself runs the others.
    """

    TWO_POINTS_DE = "TwoPointsDE"
    DE = "DE"
    ALMOST_ROTATION_INVARIANT_DE = "AlmostRotationInvariantDE"
    ALMOST_ROTATION_INVARIANT_DE_AND_BIG_POP = "AlmostRotationInvariantDEAndBigPop"
    BP_ROTATION_INVARIANT_DE = "BPRotationInvariantDE"
    DISCRETE_DE = "DiscreteDE"
    HSDE = "HSDE"
    LPSDE = "LPSDE"
    LQODE = "LQODE"
    LQOTPDE = "LQOTPDE"
    LHS_DE = "LhsDE"
    LHS_HSDE = "LhsHSDE"
    MINI_DE = "MiniDE"
    MINI_LHS_DE = "MiniLhsDE"
    MINI_QR_DE = "MiniQrDE"
    NOISY_DE = "NoisyDE"
    ONE_POINT_DE = "OnePointDE"
    PARAMETRIZATION_DE = "ParametrizationDE"
    QODE = "QODE"
    QOTPDE = "QOTPDE"
    QR_DE = "QrDE"
    ROTATED_TWO_POINTS_DE = "RotatedTwoPointsDE"
    ROTATION_INVARIANT_DE = "RotationInvariantDE"
    SODE = "SODE"
    SPQODE = "SPQODE"
    VORONOI_DE = "VoronoiDE"


class Preset(StrEnum):
    """How long the search takes."""

    TEST = "test"
    BENCHMARK = "benchmark"
    PRODUCTION = "production"


class ProphetVar(StrEnum):
    """Components that prophet separates from the target before the media are fitted."""

    TREND = "trend"
    SEASON = "season"
    MONTHLY = "monthly"
    WEEKDAY = "weekday"
    HOLIDAY = "holiday"


class Sign(StrEnum):
    """Sign that a coefficient can have."""

    DEFAULT = "default"
    POSITIVE = "positive"
    NEGATIVE = "negative"


PRESETS: dict[Preset, dict[str, int]] = {
    Preset.TEST: {"iterations": 200, "trials": 3},
    Preset.BENCHMARK: {"iterations": 2000, "trials": 5},
    Preset.PRODUCTION: {"iterations": 10000, "trials": 5},
}

ROBYN_NEEDS_PROPHET = (
    "with engine robyn, `factors` and `annotations` need a component here, because prophet turns "
    "categories into numbers"
)


class Training(Strict):
    """The search. `preset` sets trials and iterations where they are left out."""

    engine: Engine = Engine.AUTO
    search: Search = Search.FAST
    preset: Preset = Preset.BENCHMARK
    trials: StrictInt = Field(default=5, ge=1, le=100, description="Number of independent trials.")
    iterations: StrictInt = Field(
        default=2000, ge=10, le=100_000, description="Number of models that each trial tries."
    )
    max_iterations: StrictInt | None = Field(
        default=None,
        ge=10,
        le=100_000,
        description="Let each trial continue after `iterations` until its errors converge by "
        "Robyn's rule, up to this number; with `search: fast`.",
    )
    seed: StrictInt = Field(
        default=123, ge=0, le=2**31 - 1 - 1000, description="The same seed gives the same models."
    )
    adstock: Adstock = Adstock.GEOMETRIC
    hyperparameters: dict[str, Range] = Field(
        default_factory=dict,
        description="Ranges [low, high] or fixed values [x] by Robyn's names, e.g. "
        "`TV_GRP_alphas`; the others have Robyn's default ranges.",
    )
    ts_validation: StrictBool = Field(
        default=False, description="Split the data into train, validation and test."
    )
    train_size: Range = Field(
        default=[0.5, 0.8], description="Share of the data to train on, with `ts_validation`."
    )
    prophet: list[ProphetVar] = Field(
        default=[ProphetVar.TREND, ProphetVar.SEASON, ProphetVar.HOLIDAY],
        max_length=5,
        description="Components that prophet separates from the target.",
    )
    holidays: str | None = Field(
        default=None,
        max_length=8,
        description="Country whose holidays prophet uses, e.g. DE; by default the market, if that "
        "is a country.",
    )
    add_penalty_factor: StrictBool = Field(
        default=False, description="Search a penalty factor of each variable."
    )
    intercept: StrictBool = Field(default=True, description="Whether models have an intercept.")
    intercept_sign: Literal["non_negative", "unconstrained"] = "non_negative"
    rssd_zero_penalty: StrictBool = Field(
        default=True, description="Penalise models in which channels have no effect."
    )
    objective_weights: list[Annotated[StrictFloat, Field(ge=0, le=10)]] | None = Field(
        default=None,
        min_length=2,
        max_length=3,
        description="Weights of NRMSE, DECOMP.RSSD and, with `calibration`, MAPE; equal by "
        "default.",
    )
    optimiser: Optimiser = Optimiser.TWO_POINTS_DE
    workers: StrictInt = Field(
        default=1, ge=1, le=64, description="Candidates requested at once; Robyn's `cores`."
    )
    pareto_fronts: Literal["auto"] | Annotated[StrictInt, Field(ge=1, le=20)] = Field(
        default="auto", description="Pareto fronts that outputs are made of."
    )
    min_candidates: StrictInt = Field(
        default=100,
        ge=10,
        le=10_000,
        description="Fewest models on the fronts that `pareto_fronts: auto` takes.",
    )
    calibration_constraint: StrictFloat = Field(
        default=0.1,
        ge=0.01,
        le=0.1,
        description="Share of models, those with the lowest error against lift tests, that can be "
        "chosen.",
    )
    cores: StrictInt | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Trial processes on one machine; by default the machine's cores.",
    )
    tasks: StrictInt = Field(
        default=1, ge=1, le=100, description="Cloud Run tasks that share the trials."
    )
    min_r2: StrictFloat = Field(
        default=0.3,
        le=1,
        description="Lowest R² of the chosen model that is accepted; below it the verdict is FAIL.",
    )

    @model_validator(mode="before")
    @classmethod
    def _apply_preset(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("preset") in list(Preset):
            return {**PRESETS[Preset(value["preset"])], **value}
        return value

    @property
    def penalty_ranges(self) -> list[str]:
        """Names of the penalty factors that have a range in the config."""
        return [name for name in self.hyperparameters if name.endswith(PENALTY)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse(chain(self._search_faults(), self._range_faults(), self._list_faults()))
        return self

    def _search_faults(self) -> Iterator[Fault]:
        if self.search is Search.ROBYN and self.engine is Engine.BUILTIN:
            yield Fault(
                at=("search",), problem="is robyn; allowed with `engine: builtin`: `search: fast`"
            )
        if self.max_iterations is None:
            return
        if self.max_iterations < self.iterations:
            yield Fault(
                at=("max_iterations",),
                problem=f"is {self.max_iterations}; "
                f"allowed: at least `iterations` ({self.iterations})",
            )
        if self.search is Search.ROBYN:
            yield Fault(
                at=("max_iterations",),
                problem="needs `search: fast`; `robyn_run` has a fixed number of iterations",
            )

    def _range_faults(self) -> Iterator[Fault]:
        for fault in bad_ranges(self.hyperparameters):
            yield Fault(at=("hyperparameters", *fault.at), problem=fault.problem)
        yield from bad_ranges({"train_size": self.train_size})
        for name in self.penalty_ranges[:1]:
            at = ("hyperparameters", name)
            if self.engine is Engine.ROBYN or self.search is Search.ROBYN:
                yield Fault(at=at, problem=f"is refused: {ROBYN_REFUSES_PENALTIES}")
            elif not self.add_penalty_factor:
                yield Fault(at=at, problem="needs `add_penalty_factor: true`")

    def _list_faults(self) -> Iterator[Fault]:
        for index, component in enumerate(self.prophet):
            if component in self.prophet[:index]:
                yield Fault(
                    at=("prophet", index), problem=f"is {component.value} again; allowed: once"
                )
        if self.objective_weights is not None and not any(self.objective_weights):
            yield Fault(
                at=("objective_weights",), problem="is 0 for all; allowed: at least one above 0"
            )
