"""The facts of an event, field by field, for its JSON Schema.

An event takes these facts as they are: a run that has ended is never lost because a figure has
another form than expected. The models here say what readers can rely on. A later version may add
fields, so readers ignore those that they do not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from contract.verdict import Level


@dataclass(frozen=True)
class Described:
    """Marks a mapping whose JSON Schema is that of a model."""

    model: type[BaseModel]

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the model's schema in place of the mapping's."""
        return dict(handler(self.model.__pydantic_core_schema__))


class Facts(BaseModel):
    """Facts of a run; more fields may follow."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Finding(Facts):
    """A check of the result that found something; `figure` and `threshold` are in its unit."""

    check: str
    level: Level
    sentence: str = Field(description="What was found, and a remedy.")
    figure: float | None = None
    threshold: float | None = None
    channels: list[str] = []


class Verdict(Facts):
    """Whether the result may be used, with the findings above PASS."""

    verdict: Level
    findings: list[Finding] = []


class QualityFinding(Facts):
    """A check of the data; `figure` and `threshold` are in its unit."""

    check: str
    outcome: Literal["PASS", "WARN", "SKIP", "BLOCK"]
    sentence: str = Field(description="What was found, and a remedy.")
    figure: float | None = None
    threshold: float | None = None
    columns: list[str] = []
    dates: list[date] = []


class Quality(Facts):
    """Whether the data may be trained on, with at most 20 findings above PASS."""

    verdict: Literal["PASS", "WARN", "SKIP", "BLOCK"]
    findings: list[QualityFinding] = []


class Figures(Facts):
    """A channel's figures in one run; low and high are ends of 90% intervals."""

    roas: float = Field(description="Contribution per unit of spend.")
    share: float = Field(description="Contribution as a share of the target.")
    roas_low: float | None = None
    roas_high: float | None = None
    share_low: float | None = None
    share_high: float | None = None


class ChannelDrift(Facts):
    """A channel in the market's current run (before) and in this one (after)."""

    name: str
    before: Figures
    after: Figures
    roas_change: float | None = Field(
        default=None, description="Relative change; null if the channel had no effect."
    )


class Drift(Facts):
    """The run beside the one that was the market's current one."""

    verdict: Literal["ACCEPT", "HOLD"]
    against: str | None = Field(default=None, description="The run that was current, if any.")
    reasons: list[str] = Field(default=[], description="Why the run is held.")
    channels: list[ChannelDrift] = []


class Cost(Facts):
    """The time and price of a run."""

    seconds: float
    minutes: float
    amount: float = Field(description="The price of all tasks, in `currency`.")
    currency: str
    parts: dict[str, float] = Field(
        description="Seconds of inputs, trials, outputs, posterior and rest."
    )


class ActualCost(Cost):
    """What the run took; of one attempt, so an attempt before it is not in it if `resumed`."""

    resumed: bool


class Work(Facts):
    """The size of a run, which decides how long it takes."""

    engine: str
    search: str
    rows: int = Field(description="Periods of the extract.")
    media: int = Field(description="Paid channels and organic columns.")
    drivers: int = Field(description="Context columns and factors, including dated events.")
    weibull: bool = Field(description="Whether the adstock is a Weibull adstock.")
    trials: int
    iterations: int = Field(description="Of each trial; the most if trials run until they agree.")
    cores: int = Field(description="Trials that a task runs in parallel.")
    tasks: int = Field(description="Tasks that share the trials and the draws.")
    onepagers: int = Field(description="Pictures of models.")
    scenarios: int = Field(description="Scenarios of the budget allocator.")
    sweeps: int = Field(
        default=0, description="Sweeps that a task draws for the posterior and its validation."
    )


class Machine(Facts):
    """The machine of each task."""

    vcpus: float
    gib: float
    region: str


class History(Facts):
    """The past runs that corrected an estimate."""

    runs: int
    of: str | None = None
    ratios: dict[str, float] = Field(description="Actual seconds by expected ones, of each part.")


class Prices(Facts):
    """The price list."""

    date: date
    source: str


class EstimatedCost(Cost):
    """What the run was expected to take."""

    work: Work
    rows_from: str
    machine: Machine
    history: History
    prices: Prices


class Costs(Facts):
    """The estimate, null if the run ended before it, and the actual cost."""

    estimate: EstimatedCost | None = None
    actual: ActualCost


class Span(Facts):
    """The median and a 90% interval of the draws."""

    median: float
    low: float
    high: float


class ChannelPosterior(Facts):
    """What the posterior says of a channel, or of all together (`name` is null)."""

    name: str | None = None
    spend: float
    roas: Span
    contribution: Span
    share: Span = Field(description="Contribution as a share of the target.")
    marginal_roas: Span
    carry_over: Span | None = None
    no_effect: float = Field(description="Probability that the channel has no effect.")
    is_identified: bool = Field(description="False if the interval is mostly the prior.")
    r_hat: float
    effective_draws: float


class Pair(Facts):
    """Two channels that cannot be separated: their sum is known better than each of them."""

    channels: list[str]
    roas: Span


class Statement(Facts):
    """`better` returns more per unit of spend than `worse`, with this probability."""

    better: str
    worse: str
    probability: float


class LiftTest(Facts):
    """A lift test, and the lift that the draws expect without and with all tests."""

    number: int = Field(description="Its place in the config's `calibration`, from 0.")
    lift: float
    standard_error: float
    before: Span
    after: Span


class NextTest(Facts):
    """A lift test that is worth its money."""

    channel: str
    narrowing: float = Field(description="Expected share by which intervals get narrower.")


class NearestModel(Facts):
    """The model of the search that is nearest to the posterior, in standard deviations."""

    model_id: str
    distance: float
    models: int
    best_distance: float


class PosteriorFacts(Facts):
    """The posterior beside the chosen model."""

    level: float = Field(description="The share of draws that an interval holds.")
    draws: int
    channels: list[ChannelPosterior]
    total: ChannelPosterior
    pairs: list[Pair] = []
    statements: list[Statement] = []
    tests: list[LiftTest] = []
    autocorrelation: float | None = None
    nearest_model: NearestModel | None = None
    test_error: float | None = None
    next_tests: list[NextTest] = []


class ModelChannel(Facts):
    """A paid channel in the chosen model; `roas` for revenue, `cpa` for conversions."""

    name: str
    variable: str
    spend: float
    contribution: float
    contribution_share: float
    roas: float | None = None
    cpa: float | None = None
    interval_method: str | None = None
    interval_low: float | None = None
    interval_high: float | None = None
    contribution_share_low: float | None = None
    contribution_share_high: float | None = None
    coefficient: float | None = None
    spend_share: float | None = None
    effect_share: float | None = None
    mean_spend: float | None = None
    mean_response: float | None = None
    carryover_share: float | None = None


class Intervals(Facts):
    """How the intervals of the chosen model were made."""

    level: float | None = None
    method: str | None = None


class Convergence(Facts):
    """Robyn's rule for one objective of the search."""

    converged: bool
    last_sd: float | None = None
    sd_limit: float | None = None
    last_median: float | None = None
    median_limit: float | None = None


class TrialEnd(Facts):
    """How a trial ended."""

    trial: int
    iterations: int
    converged: bool | None = None
    stopped: str | None = None
    objectives: dict[str, bool] = {}


class PredictionErrors(Facts):
    """Errors of a prediction of periods that the fit did not see."""

    rsq: float | None = None
    nrmse: float | None = None
    mape: float | None = None


class Fold(PredictionErrors):
    """One fold of the rolling validation."""

    train_periods: int
    start: date
    end: date


class Validation(Facts):
    """The rolling validation (`outputs.validation`)."""

    folds: int
    horizon: int
    mean: PredictionErrors
    by_fold: list[Fold]


class Models(Facts):
    """How many models were tried, and how many were candidates."""

    tried: int
    candidates: int
    pareto_fronts: int
    clusters: int | None = None
    cluster_winners: list[str]


class BestModel(Facts):
    """The chosen model: the content of `metrics.json`."""

    best_model: str
    engine: str
    search: str
    trial: int
    iteration: int
    target: str
    target_kind: Literal["revenue", "conversion"]
    window_start: date
    window_end: date
    rows: int
    rsq_train: float | None = None
    rsq_val: float | None = None
    rsq_test: float | None = None
    nrmse: float | None = None
    nrmse_train: float | None = None
    nrmse_val: float | None = None
    nrmse_test: float | None = None
    decomp_rssd: float | None = None
    mape: float | None = None
    error_score: float | None = None
    cluster: int | None = None
    performance_measure: Literal["roas", "cpa"]
    channels: list[ModelChannel]
    contribution_shares: dict[str, float]
    intervals: Intervals | None = None
    convergence: dict[str, Convergence] | None = None
    trials: list[TrialEnd] = []
    models: Models
    validation: Validation | None = None
    posterior: PosteriorFacts | None = None
    verdict: Verdict | None = Field(default=None, description="With the findings that passed.")


VerdictFacts = Annotated[dict[str, Any], Described(Verdict)]
QualityFacts = Annotated[dict[str, Any], Described(Quality)]
DriftFacts = Annotated[dict[str, Any], Described(Drift)]
CostFacts = Annotated[dict[str, Any], Described(Costs)]
BestModelFacts = Annotated[dict[str, Any], Described(BestModel)]
