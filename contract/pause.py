"""A paused market: none of its runs begins, and each ends as SKIPPED with the reason.

`mmm pause` writes the object and `mmm resume` removes it. Trigger, `reconcile` and job only read
it, so they need no permission to write it. A run that holds its market already continues.
"""

from __future__ import annotations

from contract import layout
from contract.damage import warn
from contract.exceptions import DamagedError, NotFoundError, PausedError
from contract.stored import Moment, Stored
from contract.stores.base import Store
from contract.text import PathPart


class Pause(Stored):
    """`paused/<market>.json`: who paused a market, when and why."""

    market: PathPart
    by: str
    at: Moment
    reason: str

    def text(self) -> str:
        """Return the pause as a line: market, since when, by whom and why."""
        return f"{self.market} since {self.at:%Y-%m-%d %H:%M} UTC by {self.by}: {self.reason}"


def read_pause(store: Store, market: str) -> Pause | None:
    """Return the pause of a market, None if it is not paused.

    Raises:
        DamagedError: the object cannot be read.
    """
    path = layout.paused(market)
    try:
        return Pause.from_json(store.read(path).data, path=path)
    except NotFoundError:
        return None


def refuse_if_paused(store: Store, market: str) -> None:
    """Refuse to begin a run of a paused market; a pause that cannot be read counts.

    Raises:
        PausedError: the market is paused.
    """
    try:
        pause = read_pause(store, market)
    except DamagedError as error:
        warn(error, then=f"market `{market}` counts as paused")
        text = f"{market}, but {error.message}"
    else:
        if pause is None:
            return
        text = pause.text()
    raise PausedError(f"paused: {text} (`mmm resume {market}` ends the pause)")
