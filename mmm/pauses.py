"""Pause and resume markets."""

from __future__ import annotations

from functools import partial

from pydantic import ValidationError

from contract import layout
from contract.damage import unless_damaged
from contract.exceptions import ConfigError
from contract.explain import explain
from contract.pause import Pause, read_pause
from contract.run import now
from contract.stores import Store
from contract.stores.atomic import create


def pause(store: Store, market: str, *, by: str, reason: str) -> Pause:
    """Pause a market; one that is paused already keeps who paused it, when and why.

    Raises:
        ConfigError: the reason is empty, or the name is not one of a market.
        DamagedError: the market is paused already, and its pause cannot be read.
    """
    if not reason.strip():
        raise ConfigError("`--reason` is empty; say why, for those who find the market paused")
    try:
        new = Pause(market=market, by=by, at=now(), reason=reason)
    except ValidationError as error:
        raise ConfigError(explain(error, Pause)) from None
    if create(store, layout.paused(market), new.to_json()):
        return new
    return read_pause(store, market) or pause(store, market, by=by, reason=reason)


def resume(store: Store, market: str) -> Pause | None:
    """End the pause of a market and return it, None if it cannot be read.

    Raises:
        ConfigError: the market is not paused.
    """
    path = layout.paused(market)
    if store.stat(path) is None:
        names = ", ".join(paused_markets(store)) or "none"
        raise ConfigError(f"market `{market}` is not paused in {store.url}; paused: {names}")
    ended = unless_damaged(lambda: read_pause(store, market), None, then="it is removed")
    store.delete(path)
    return ended


def paused_markets(store: Store) -> dict[str, Pause | None]:
    """Return the paused markets with their pauses, in order; None for one that cannot be read."""
    paths = (info.path for info in store.list(layout.PAUSED))
    names = [path.removeprefix(layout.PAUSED).removesuffix(".json") for path in paths]
    return {
        name: unless_damaged(partial(read_pause, store, name), None, then="the market is paused")
        for name in names
    }
