"""Read what the market's last accepted run left for the gate: advice, not a condition."""

from __future__ import annotations

from typing import Any

from contract import layout, runid
from contract.base import Strict
from contract.config import Config
from contract.damage import unless_damaged
from contract.exceptions import DamagedError, NotFoundError
from contract.stored import Stored, read_fields
from contract.stores import Store


class Profile(Strict):
    """The part of `data_quality.json` that the next run is compared with."""

    frequency: str
    quarters: dict[str, dict[str, float]] = {}
    levels: dict[str, list[str]] | None = None


class Quality(Stored):
    """`data_quality.json`, as far as a later run reads it."""

    profile: Profile | None = None


def previous_quality(store: Store, config: Config) -> dict[str, Any] | None:
    """Return the gate's result of the market's last accepted run, None if there is none.

    If `current.json` or the result is damaged, there is none, and a warning names the object.
    """
    return unless_damaged(
        lambda: _read(store, config), None, then="the data is not compared with the last run's"
    )


def _read(store: Store, config: Config) -> dict[str, Any] | None:
    pointer = layout.current(config.revision, config.market)
    try:
        run_id = read_fields(store.read(pointer).data, "run_id", path=pointer)["run_id"]
        if not runid.is_valid(run_id):
            raise DamagedError(pointer, f"`{run_id[:40]}` is not a run id")
        path = layout.artifacts(config.revision, config.market, run_id, "data_quality.json")
        quality = Quality.from_json(store.read(path).data, path=path)
    except NotFoundError:
        return None
    return quality.model_dump(mode="json", exclude_none=True)
