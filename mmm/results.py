"""What the commands print with --json; `mmm schema COMMAND` prints the schema of each."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from contract.facts import Quality, QualityFinding, VerdictFacts
from contract.run import State, Status


class Result(BaseModel, frozen=True):
    """How a run ended: `mmm run`, `serve`, `watch` and `cancel`.

    Attributes:
        state: the run's state; None if the bucket does not answer.
        run_id: empty if there is no run.
        held: why the run is held.
        message: why the run has no result.
    """

    state: State | None
    run_id: str
    report_uri: str | None = None
    verdict: VerdictFacts | None = None
    held: list[str] = []
    message: str | None = None

    @classmethod
    def of(cls, status: Status) -> Result:
        """Return the result of a run's status."""
        outcome = status.outcome
        return cls(
            state=status.state,
            run_id=status.run_id,
            report_uri=outcome.get("report_uri"),
            verdict=outcome.get("verdict"),
            held=(outcome.get("drift") or {}).get("reasons", []),
            message=status.error.message if status.error else None,
        )


class Published(BaseModel, frozen=True):
    """A request that `mmm publish` has sent."""

    message_id: str
    topic: str


class Saved(BaseModel, frozen=True):
    """A config that `mmm save` has put into the bucket."""

    address: str
    version: int


class Opened(BaseModel, frozen=True):
    """A report that `mmm open` has downloaded."""

    run_id: str
    path: str


class DeadLetter(BaseModel, frozen=True):
    """A message that could not be processed; `sent_as` is its new id if it was sent again."""

    name: str
    kind: str
    reason: str
    sent_as: str | None = None


class Checked(Quality):
    """The checks of the data: `mmm check`, and `data_quality.json`."""

    rows: int
    first_date: str
    last_date: str
    checks: list[QualityFinding]
    profile: dict[str, Any]


class Diagnosis(BaseModel, frozen=True):
    """A check of the machine (`check`) or a damaged object (`path`) of `mmm doctor`."""

    check: str | None = None
    level: str | None = None
    message: str | None = None
    path: str | None = None
    problem: str | None = None
    remedy: str | None
    done: str | None = None
