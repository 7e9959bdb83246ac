"""The posterior step: draw beside the search, then write tables and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from zipfile import BadZipFile

from contract import layout
from contract.exceptions import CancelledError
from job.attempt import checkpoints
from job.attempt.context import Attempt
from job.posterior import tables
from job.posterior.convergence import DOUBTFUL_R_HAT
from job.posterior.draws import Draws, draw
from job.posterior.predictive import expect
from job.posterior.prepare import prepare, priors_of
from job.posterior.summary import summarise
from job.sources import Snapshot
from job.sources.annotations import with_annotations

Write = Callable[[], None]
DRAWS, WITHOUT_TESTS = "posterior.npz", "posterior-without-tests.npz"


@contextmanager
def posterior(attempt: Attempt, snapshot: Snapshot) -> Iterator[Write]:
    """Draw in the background; the function that this yields waits and writes what the draws say.

    The thread stops when the block ends early.
    """
    settings = attempt.config.posterior
    if not settings.enabled:
        yield _nothing
        return
    left = False
    config = with_annotations(attempt.config, snapshot.annotations)
    market, left_out = prepare(snapshot, config)
    priors, seed = priors_of(config), config.training.seed
    attempt.warnings += left_out
    if market.target.sum() <= 0 or not market.paid:
        attempt.warnings.append(
            "there is no posterior: it needs a target with a positive sum "
            f"(`{config.target.column}` has {market.target.sum():g}) and a channel with spend"
        )
        yield _nothing
        return
    expected = expect(market, priors, seed=seed)
    attempt.warnings += expected.contradictions
    if not expected.is_possible:
        yield _nothing
        return

    def check() -> None:
        if left or attempt.stop() is not None:
            raise CancelledError("the posterior stops, because the attempt ends")

    def drawn(name: str, *, count_tests: bool = True) -> Draws:
        file = attempt.workspace.work / name
        if checkpoints.restore(attempt.store, attempt.run_id, name, file):
            try:
                return Draws.load(file)
            except (ValueError, KeyError, OSError, BadZipFile) as error:
                path = layout.work(attempt.run_id, name)
                attempt.log.warning(f"`{path}` is damaged ({error}); the posterior is drawn again")
        draws = draw(
            market,
            seed=seed,
            priors=priors,
            sweeps=settings.sweeps,
            count_tests=count_tests,
            check=check,
        )
        draws.save(file)
        attempt.check()
        checkpoints.save(attempt.store, attempt.run_id, name, file)
        return draws

    def all_draws() -> tuple[Draws, Draws]:
        draws = drawn(DRAWS)
        return draws, drawn(WITHOUT_TESTS, count_tests=False) if market.tests else draws

    with ThreadPoolExecutor(1, thread_name_prefix="posterior") as pool:
        # Of several tasks, only the one that makes the outputs draws, after its trials.
        future = pool.submit(all_draws) if attempt.tasks == 1 else None

        def write() -> None:
            with attempt.trace.step("posterior") as detail:
                draws, without_tests = all_draws() if future is None else future.result()
                summary = summarise(draws, market, priors, seed=seed, without_tests=without_tests)
                tables.write(
                    attempt.workspace.output,
                    draws=draws,
                    market=market,
                    summary=summary,
                    config=config,
                )
                detail["draws"] = summary.draws
            for channel in summary.channels:
                if channel.r_hat > DOUBTFUL_R_HAT:
                    attempt.warnings.append(
                        f"the chains of the posterior differ for `{channel.name}`: R-hat is "
                        f"{channel.r_hat:.2f}, at most {DOUBTFUL_R_HAT:g} is good; raise "
                        f"`posterior.sweeps` ({settings.sweeps})"
                    )

        try:
            yield write
        finally:
            left = True


def _nothing() -> None:
    """Write no tables; those of the results stay empty."""
