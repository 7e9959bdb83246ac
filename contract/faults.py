"""The faults of a config: the place and the problem of each.

With these, a validator of a pydantic model can report several faults in fields below the model.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

MAX_FAULTS = 20

Place = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault. `at` is the field's place below the model that is checked, e.g. ("tv", 0).

    `problem` continues a sentence that begins with the field's path: "is 5; allowed: at most 3".
    """

    at: Place
    problem: str


class FaultsError(ValueError):
    """Raised by a validator: the first faults of fields below its model.

    `more` says that there are others. They are not looked for: hints take time, and a config can
    have thousands of faults.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        found = list(islice(faults, MAX_FAULTS + 1))
        self.faults, self.more = found[:MAX_FAULTS], len(found) > MAX_FAULTS
        super().__init__("; ".join(f"{path_of(f.at)} {f.problem}" for f in self.faults))


def refuse(faults: Iterable[Fault]) -> None:
    """Raise the faults, if there are any.

    Raises:
        FaultsError: there is at least one fault.
    """
    error = FaultsError(faults)
    if error.faults:
        raise error


def path_of(place: Place) -> str:
    """Return a place in dotted form.

    >>> path_of(("channels", 0, "spend"))
    'channels[0].spend'
    """
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
