"""Hyperparameters: their names in Robyn, the limits of their ranges, and checks of a config's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StrictFloat

from contract.columns import safe_name
from contract.faults import Fault
from contract.suggest import nearest

Range = Annotated[list[StrictFloat], Field(min_length=1, max_length=2)]

PENALTY = "_penalty"
ROBYN_REFUSES_PENALTIES = (
    "Robyn does not take the range of a penalty factor; it searches all of them from 0 to 1 with "
    "`add_penalty_factor`; leave it out, or set `engine: builtin`"
)


class Adstock(StrEnum):
    """Carry-over of media over time."""

    GEOMETRIC = "geometric"
    WEIBULL_CDF = "weibull_cdf"
    WEIBULL_PDF = "weibull_pdf"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The values that a hyperparameter can have, from low to high."""

    low: float
    high: float
    low_included: bool = True
    high_included: bool = True

    def hold(self, values: Sequence[float]) -> bool:
        """Return whether all values are within the bounds."""
        above = min(values) > self.low or (self.low_included and min(values) == self.low)
        below = max(values) < self.high or (self.high_included and max(values) == self.high)
        return above and below

    def __str__(self) -> str:
        """Return the bounds in words: `from 0, below 1`."""
        low = f"from {self.low:g}" if self.low_included else f"above {self.low:g}"
        if self.high == float("inf"):
            return low
        if self.low_included and self.high_included:
            return f"{low} to {self.high:g}"
        high = f"at most {self.high:g}" if self.high_included else f"below {self.high:g}"
        return f"{low}, {high}"


# `hyper_limits()` of Robyn 3.12.1, and the limits of our search for the other kinds.
LIMITS = {
    "thetas": Bounds(low=0, high=1, high_included=False),
    "alphas": Bounds(low=0, high=10, low_included=False, high_included=False),
    "gammas": Bounds(low=0, high=1, low_included=False),
    "shapes": Bounds(low=0, high=20, high_included=False),
    "scales": Bounds(low=0, high=1),
    "penalty": Bounds(low=0, high=float("inf")),
    "lambda": Bounds(low=0, high=1),
    "train_size": Bounds(low=0.1, high=1, low_included=False),
}


def kinds(adstock: Adstock) -> tuple[str, ...]:
    """Return the kinds of hyperparameters that a medium has."""
    if adstock is Adstock.GEOMETRIC:
        return ("alphas", "gammas", "thetas")
    return ("alphas", "gammas", "shapes", "scales")


@dataclass(frozen=True, kw_only=True)
class Space:
    """The parts of a model's search space; columns are named as in the config.

    Attributes:
        adstock: decides the kinds of hyperparameters.
        media: column of each paid and organic medium: its exposure, else its spend.
        other_names: the media's other names (channel, spend), each with its column in `media`.
        variables: all other variables of the model; each can have a penalty factor.
        events: whether the model has more variables, the events of `annotations`.
    """

    adstock: Adstock
    media: Sequence[str]
    other_names: Mapping[str, str]
    variables: Sequence[str]
    events: bool = False

    def searched(self) -> list[str]:
        """Return the names that need a range or a value in every search."""
        media = [safe_name(medium) for medium in self.media]
        return [f"{medium}_{kind}" for medium in media for kind in kinds(self.adstock)]

    def penalties(self) -> list[str]:
        """Return the names of the known penalty factors."""
        return [f"{safe_name(name)}{PENALTY}" for name in (*self.media, *self.variables)]

    def unknown(self, names: Collection[str]) -> list[str]:
        """Return the names that are not hyperparameters of the model."""
        known = {*self.searched(), *self.penalties(), "lambda", "train_size"}
        return [
            name
            for name in names
            if safe_name(name) not in known and not (self.events and name.endswith(PENALTY))
        ]


def unknown_names(given: Collection[str], space: Space) -> Iterator[Fault]:
    """Yield a fault for each name that is not a hyperparameter of the model."""
    for name in space.unknown(given):
        yield Fault(at=(name,), problem=_unknown(name, space))


def _unknown(name: str, space: Space) -> str:
    medium, _, kind = name.rpartition("_")
    mine = kinds(space.adstock)
    if kind in LIMITS and kind not in mine and safe_name(medium) in map(safe_name, space.media):
        return f"has no effect with `adstock: {space.adstock.value}`; allowed: " + ", ".join(
            f"{medium}_{known}" for known in mine
        )
    meant = _nearest(name, medium, kind, space)
    if meant is not None:
        return f"is not a hyperparameter of this model. Did you mean `{meant}`?"
    some = ", ".join(space.searched()[:8])
    return f"is not a hyperparameter of this model. Allowed: {some}, …"


def _nearest(name: str, medium: str, kind: str, space: Space) -> str | None:
    """Return the nearest hyperparameter; both parts of its name must be near."""
    general = nearest(name, ("lambda", "train_size"))
    near_kind = nearest(kind, (*kinds(space.adstock), PENALTY.strip("_")))
    if general is not None or near_kind is None:
        return general
    media = {medium: medium for medium in space.media} | dict(space.other_names)
    if f"_{near_kind}" == PENALTY:
        media |= {variable: variable for variable in space.variables}
    near = nearest(medium, media)
    return None if near is None else f"{safe_name(media[near])}_{near_kind}"


def bad_ranges(given: Mapping[str, Sequence[float]]) -> Iterator[Fault]:
    """Yield a fault for each range that is reversed or outside the limits of its kind."""
    for name, values in given.items():
        shown = f"[{', '.join(f'{value:g}' for value in values)}]"
        if len(values) == 2 and values[0] > values[1]:
            yield Fault(at=(name,), problem=f"is {shown}; allowed: the lower bound first")
            continue
        limits = LIMITS.get(name) or LIMITS.get(name.rpartition("_")[2])
        if limits is not None and not limits.hold(values):
            yield Fault(at=(name,), problem=f"is {shown}; allowed: values {limits}")


def nothing_to_search(given: Mapping[str, Sequence[float]], space: Space) -> Iterator[Fault]:
    """Yield a fault if every hyperparameter has a fixed value."""
    fixed = {safe_name(name) for name, values in given.items() if len(values) == 1}
    if fixed.issuperset({*space.searched(), "lambda"}):
        yield Fault(
            at=(), problem="fixes every value; allowed: a range [low, high] for at least one"
        )
