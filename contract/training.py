"""How the model is trained: engine, search, trials, adstock, hyperparameters, prophet."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from contract.base import Strict, later


class Engine(StrEnum):
    """Who makes inputs and outputs; `auto` is Robyn where it is installed, else builtin."""

    AUTO = "auto"
    ROBYN = "robyn"
    BUILTIN = "builtin"


class Search(StrEnum):
    """Who runs the trials: our accelerated search, or `robyn_run` itself."""

    FAST = "fast"
    ROBYN = "robyn"


class Adstock(StrEnum):
    """Carry-over of media over time."""

    GEOMETRIC = "geometric"
    WEIBULL_CDF = "weibull_cdf"
    WEIBULL_PDF = "weibull_pdf"


class Optimiser(StrEnum):
    """The nevergrad optimisers that work with Robyn's objectives: they take objective weights.

    The first two are done in R, draw for draw; the others are nevergrad's own.
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
    """How long to search."""

    TEST = "test"
    BENCHMARK = "benchmark"
    PRODUCTION = "production"


class ProphetVar(StrEnum):
    """Components that prophet takes out of the target before the media are fitted."""

    TREND = "trend"
    SEASON = "season"
    MONTHLY = "monthly"
    WEEKDAY = "weekday"
    HOLIDAY = "holiday"


class Sign(StrEnum):
    """What sign a coefficient may have."""

    DEFAULT = "default"
    POSITIVE = "positive"
    NEGATIVE = "negative"


PRESETS: dict[Preset, dict[str, int]] = {
    Preset.TEST: {"iterations": 200, "trials": 3},
    Preset.BENCHMARK: {"iterations": 2000, "trials": 5},
    Preset.PRODUCTION: {"iterations": 10000, "trials": 5},
}

ROBYNS_OWN_PENALTIES = (
    "Robyn takes no range of a penalty factor, it searches all of them from 0 to 1 with "
    "`add_penalty_factor`; leave it out, or take `engine: builtin`"
)

Range = Annotated[list[float], Field(min_length=1, max_length=2)]


class Calibration(Strict):
    """One lift test: what an experiment measured for a channel (Robyn's `calibration_input`)."""

    channel: str = Field(description="Channel or organic name; several joined by `+`.")
    start: date
    end: date
    lift: float = Field(description="Absolute lift of the target in the period.")
    spend: float = Field(ge=0)
    confidence: float = Field(default=0.85, ge=0, le=1)
    scope: Literal["immediate", "total"] = "immediate"


class Training(Strict):
    """The search. `preset` gives trials and iterations where they are left out."""

    engine: Engine = Engine.AUTO
    search: Search = Search.FAST
    preset: Preset = Preset.BENCHMARK
    trials: int = Field(default=5, ge=1, le=100)
    iterations: int = Field(default=2000, ge=10, le=100_000)
    max_iterations: int | None = Field(
        default=None,
        ge=10,
        le=100_000,
        description="Let each trial go on past `iterations` until its errors have converged by "
        "Robyn's rule, at most to this many; with `search: fast`.",
    )
    seed: int = Field(default=123, ge=0, le=2**31 - 1 - 1000)
    adstock: Adstock = Adstock.GEOMETRIC
    hyperparameters: dict[str, Range] = Field(
        default_factory=dict,
        description="Ranges [low, high] or fixed values [x] by Robyn's names, e.g. "
        "`TV_GRP_alphas`; "
        "those left out take Robyn's default ranges.",
    )
    ts_validation: bool = Field(default=False, description="Split into train, validation and test.")
    train_size: Range = Field(default=[0.5, 0.8], description="Range of the training share.")
    prophet: list[ProphetVar] = [ProphetVar.TREND, ProphetVar.SEASON, ProphetVar.HOLIDAY]
    holidays: str | None = Field(
        default=None,
        max_length=8,
        description="Country of the holidays; the market where left out and it is a country.",
    )
    add_penalty_factor: bool = False
    intercept: bool = True
    intercept_sign: Literal["non_negative", "unconstrained"] = "non_negative"
    rssd_zero_penalty: bool = True
    objective_weights: list[float] | None = Field(default=None, min_length=2, max_length=3)
    optimiser: Optimiser = Optimiser.TWO_POINTS_DE
    workers: int = Field(
        default=1, ge=1, le=64, description="Candidates asked at once; Robyn's `cores`."
    )
    pareto_fronts: Literal["auto"] | Annotated[int, Field(ge=1, le=20)] = "auto"
    min_candidates: int = Field(default=100, ge=10, le=10_000)
    calibration_constraint: float = Field(default=0.1, ge=0.01, le=0.1)
    cores: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Trial processes on one machine; the machine's cores where left out.",
    )
    tasks: int = Field(
        default=1, ge=1, le=100, description="Cloud Run tasks that share the trials."
    )
    min_r2: float | None = later(None, description="Lowest R² that is accepted.")

    @model_validator(mode="before")
    @classmethod
    def _apply_preset(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("preset") in list(Preset):
            return {**PRESETS[Preset(value["preset"])], **value}
        return value

    @model_validator(mode="after")
    def _limit(self) -> Self:
        if self.max_iterations is None:
            return self
        if self.max_iterations < self.iterations:
            raise ValueError(
                f"`max_iterations` is {self.max_iterations}; "
                f"allowed: at least `iterations` ({self.iterations})"
            )
        if self.search is Search.ROBYN:
            raise ValueError(
                "`max_iterations` needs `search: fast`; `robyn_run` has as many as it is told"
            )
        return self

    @property
    def penalty_ranges(self) -> list[str]:
        """Names of the penalty factors that have a range of their own."""
        return [name for name in self.hyperparameters if name.endswith("_penalty")]

    @model_validator(mode="after")
    def _penalties(self) -> Self:
        given = self.penalty_ranges
        if not given:
            return self
        if self.engine is Engine.ROBYN or self.search is Search.ROBYN:
            raise ValueError(f"`hyperparameters.{given[0]}`: {ROBYNS_OWN_PENALTIES}")
        if not self.add_penalty_factor:
            raise ValueError(f"`hyperparameters.{given[0]}` needs `add_penalty_factor: true`")
        return self

    @model_validator(mode="after")
    def _ranges(self) -> Self:
        for name, bounds in {**self.hyperparameters, "train_size": self.train_size}.items():
            if len(bounds) == 2 and bounds[0] > bounds[1]:
                raise ValueError(
                    f"`{name}` is [{bounds[0]}, {bounds[1]}]; the lower bound comes first"
                )
        if not 0.1 < min(self.train_size) <= max(self.train_size) <= 1:
            raise ValueError(f"`train_size` is {self.train_size}; allowed: above 0.1, at most 1")
        return self
