"""The posterior step: draw beside the search, then write tables and figures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

from contract import layout
from contract.config import Config
from contract.exceptions import CancelledError
from job.attempt import checkpoints
from job.attempt.context import Attempt
from job.posterior import tables
from job.posterior.convergence import DOUBTFUL_R_HAT
from job.posterior.draws import Draws, draw
from job.posterior.market import MarketData
from job.posterior.predictive import expect
from job.posterior.prepare import modelled_days, prepare, priors_of
from job.posterior.priors import Priors
from job.posterior.summary import Summary, summarise
from job.posterior.validation import Fold, to_dict, validate
from job.sources import Snapshot
from job.sources.annotations import with_annotations

T = TypeVar("T")
Write = Callable[[], None]
DRAWS, WITHOUT_TESTS = "posterior.npz", "posterior-without-tests.npz"
VALIDATION = "validation.json"


@dataclass
class Drawing:
    """All that is drawn for one attempt. What another attempt stored is not drawn again.

    Attributes:
        left: set when the attempt ends, so that the thread that draws stops.
        known: what this attempt has drawn or loaded, by the name of its file.
        cpu_seconds: what this attempt's draws took.
    """

    attempt: Attempt
    config: Config
    market: MarketData
    priors: Priors
    left: bool = False
    known: dict[str, Any] = field(default_factory=dict)
    cpu_seconds: float = 0.0

    def own(self) -> None:
        """Draw this task's share: the tasks of an execution take turns."""
        parts: list[Callable[[], object]] = [partial(self._draws, DRAWS)]
        if self.market.tests:
            parts.append(partial(self._draws, WITHOUT_TESTS, count_tests=False))
        if self.config.outputs.validation.folds:
            parts.append(self._folds)
        for part in parts[self.attempt.settings.task_index :: self.attempt.tasks]:
            part()

    def everything(self) -> tuple[Draws, Draws, list[Fold]]:
        """Return the draws, those in which no lift test counts, and the validation."""
        draws = without_tests = self._draws(DRAWS)
        if self.market.tests:
            without_tests = self._draws(WITHOUT_TESTS, count_tests=False)
        return draws, without_tests, self._folds()

    def _check(self) -> None:
        if self.left or self.attempt.stop() is not None:
            raise CancelledError("the posterior stops, because the attempt ends")

    def _draws(self, name: str, *, count_tests: bool = True) -> Draws:
        def compute(file: Path) -> Draws:
            draws = draw(
                self.market,
                seed=self.config.training.seed,
                priors=self.priors,
                sweeps=self.config.posterior.sweeps,
                count_tests=count_tests,
                check=self._check,
            )
            draws.save(file)
            return draws

        return self._stored(name, Draws.load, compute)

    def _folds(self) -> list[Fold]:
        wanted = self.config.outputs.validation
        if not wanted.folds:
            return []

        def compute(file: Path) -> list[Fold]:
            folds = validate(
                self.market,
                self.priors,
                folds=wanted.folds,
                horizon=wanted.horizon,
                seed=self.config.training.seed,
                sweeps=self.config.posterior.fold_sweeps,
                check=self._check,
            )
            file.write_text(json.dumps([asdict(fold) for fold in folds]))
            return folds

        def load(file: Path) -> list[Fold]:
            return [Fold(**fold) for fold in json.loads(file.read_text())]

        return self._stored(VALIDATION, load, compute)

    def _stored(self, name: str, load: Callable[[Path], T], compute: Callable[[Path], T]) -> T:
        """Return what is stored under the run's `work/`; else compute it and store it."""
        if name not in self.known:
            self.known[name] = self._load_or_compute(name, load, compute)
        found: T = self.known[name]
        return found

    def _load_or_compute(
        self, name: str, load: Callable[[Path], T], compute: Callable[[Path], T]
    ) -> T:
        attempt = self.attempt
        file = attempt.workspace.work / name
        if checkpoints.restore(attempt.store, attempt.run_id, name, file):
            try:
                return load(file)
            except (ValueError, TypeError, KeyError, OSError, BadZipFile) as error:
                path = layout.work(attempt.run_id, name)
                attempt.log.warning(f"`{path}` is damaged ({error}); it is computed again")
        began = time.thread_time()
        found = compute(file)
        self.cpu_seconds += time.thread_time() - began
        attempt.check()
        checkpoints.save(attempt.store, attempt.run_id, name, file)
        return found


@contextmanager
def posterior(attempt: Attempt, snapshot: Snapshot) -> Iterator[Write]:
    """Draw in the background; the function that this yields waits and writes what the draws say.

    A task that leaves the run to another one finishes its share first. The thread stops when the
    block ends with an error.
    """
    if not attempt.config.posterior.enabled:
        yield _nothing
        return
    config = with_annotations(attempt.config, snapshot.annotations)
    market, left_out = prepare(snapshot, config)
    priors = priors_of(config)
    attempt.warnings += left_out
    if market.target.sum() <= 0 or not market.paid:
        attempt.warnings.append(
            "there is no posterior: it needs a target with a positive sum "
            f"(`{config.target.column}` has {market.target.sum():g}) and a channel with spend"
        )
        yield _nothing
        return
    expected = expect(market, priors, seed=config.training.seed)
    attempt.warnings += expected.contradictions
    if not expected.is_possible:
        yield _nothing
        return
    drawing = Drawing(attempt, config, market, priors)
    with ThreadPoolExecutor(1, thread_name_prefix="posterior") as pool:
        future = pool.submit(drawing.own)

        def write() -> None:
            with attempt.trace.step("posterior") as detail:
                future.result()
                found = drawing.everything()
                summary = _write(drawing, snapshot, *found)
                detail |= {"draws": summary.draws, "cpu_seconds": round(drawing.cpu_seconds, 2)}
            attempt.warnings += _doubts(drawing, summary, found[2])

        try:
            yield write
            _finish(attempt, future)
        finally:
            drawing.left = True


def _finish(attempt: Attempt, future: Future[None]) -> None:
    """Wait for this task's share, unless the run has ended or must stop."""
    try:
        future.result()
    except CancelledError as error:
        attempt.log.info(f"the task's share of the posterior is left out: {error.message}")


def _write(
    drawing: Drawing, snapshot: Snapshot, draws: Draws, without_tests: Draws, folds: list[Fold]
) -> Summary:
    """Write the tables and figures; return what the draws say."""
    config, market = drawing.config, drawing.market
    summary = summarise(
        draws, market, drawing.priors, seed=config.training.seed, without_tests=without_tests
    )
    days, horizon = modelled_days(snapshot, config), config.outputs.validation.horizon
    tables.write(
        drawing.attempt.workspace.output,
        draws=draws,
        market=market,
        summary=summary,
        validation=to_dict(folds, horizon, days),
        config=config,
    )
    return summary


def _doubts(drawing: Drawing, summary: Summary, folds: list[Fold]) -> Iterator[str]:
    """Yield a sentence for each channel whose chains differ, and if folds are missing."""
    wanted, periods = drawing.config.outputs.validation, drawing.market.periods
    if len(folds) < wanted.folds:
        yield (
            f"`outputs.validation` has {len(folds)} of {wanted.folds} predictions of "
            f"{wanted.horizon} periods; each must leave half of the {periods} periods to fit"
        )
    for channel in summary.channels:
        if channel.r_hat > DOUBTFUL_R_HAT:
            yield (
                f"the chains of the posterior differ for `{channel.name}`: R-hat is "
                f"{channel.r_hat:.2f}, at most {DOUBTFUL_R_HAT:g} is good; raise "
                f"`posterior.sweeps` ({drawing.config.posterior.sweeps})"
            )


def _nothing() -> None:
    """Write no tables; those of the results stay empty."""
