"""Configs that people have begun: each answer is in the bucket, so a lost browser loses nothing."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any

from contract import layout
from contract.damage import unless_damaged
from contract.exceptions import ConfigError, NotFoundError, PreconditionError
from contract.printable import short
from contract.run import now
from contract.stored import Moment, Stored
from contract.stores import Store
from mmm.propose import Draft as Proposed
from mmm.propose import KnownColumns, draft
from mmm.propose.table import Table

MOST_READ = 50
_ID = re.compile(r"[0-9a-f]{16}")


class Draft(Stored):
    """`drafts/<id>.json`.

    Attributes:
        by, at: who changed it last, and when.
        market, revision: of the config.
        source: as in a config.
        answers: answers to questions, by their ids.
        roles: roles of columns that the person has set, by column.
        preset: the preset of `training`.
        text: the config as the person has edited it; None while it is the proposed one.
        name: the name under which it is to be saved.
        seen: the version of that config that its author has seen, 0 for a new one.
        saved: the version that was saved from this draft, 0 before.
        checked: the hash of the config whose data was checked last.
        request: the key of the request to train the saved version; None before.
    """

    by: str
    at: Moment
    market: str
    revision: str = "r1"
    source: dict[str, Any]
    answers: dict[str, str] = {}
    roles: dict[str, str] = {}
    preset: str = "test"
    text: str | None = None
    name: str | None = None
    seen: int = 0
    saved: int = 0
    checked: str | None = None
    request: str | None = None


def begin(
    store: Store, source: Mapping[str, Any], *, market: str, revision: str, by: str
) -> tuple[str, int]:
    """Store a new draft; return its id and its generation."""
    draft_id = secrets.token_hex(8)
    new = Draft(by=by, at=now(), market=market, revision=revision, source=dict(source))
    return draft_id, store.write(layout.draft(draft_id), new.to_json(), if_generation=0)


def read(store: Store, draft_id: str) -> tuple[Draft, int]:
    """Return a draft and its generation.

    Raises:
        ConfigError: there is no such draft.
        DamagedError: it cannot be read.
    """
    if _ID.fullmatch(draft_id):
        try:
            blob = store.read(layout.draft(draft_id))
            return Draft.from_json(blob.data, path=layout.draft(draft_id)), blob.generation
        except NotFoundError:
            pass
    raise ConfigError(f"there is no draft `{short(draft_id)}` in {store.url}; begin a new one")


def newest(store: Store, *, by: str, limit: int = 10) -> list[tuple[str, Draft]]:
    """Return the drafts that a person has changed last and not saved, newest first."""
    infos = sorted(store.list(layout.DRAFTS), key=lambda info: info.updated, reverse=True)
    found: list[tuple[str, Draft]] = []
    for info in infos[:MOST_READ]:
        draft_id = info.path.removeprefix(layout.DRAFTS).removesuffix(".json")
        one = unless_damaged(partial(_readable, store, draft_id), None, then="it is not listed")
        if one is not None and one.by == by and not one.saved:
            found.append((draft_id, one))
    return found[:limit]


def _readable(store: Store, draft_id: str) -> Draft | None:
    try:
        return read(store, draft_id)[0]
    except ConfigError:
        return None


def change(
    store: Store, draft_id: str, old: Draft, generation: int, *, by: str, **fields: Any
) -> int:
    """Change fields of the draft that was read; return its new generation.

    Raises:
        ConfigError: somebody else has changed the draft meanwhile.
    """
    new = Draft.model_validate({**old.model_dump(), "by": by, "at": now(), **fields})
    try:
        return store.write(layout.draft(draft_id), new.to_json(), if_generation=generation)
    except PreconditionError:
        latest, _ = read(store, draft_id)
        raise ConfigError(
            f"this draft was changed elsewhere by {latest.by} at {latest.at:%H:%M:%S} UTC, so your "
            "last change was not stored; reload the page to see it as it is now"
        ) from None


def proposal(draft_of: Draft, table: Table) -> Proposed:
    """Return the config that is proposed for a table with the answers of a draft."""
    single = {role: column for column, role in draft_of.roles.items() if role in _ONCE}
    known = KnownColumns(
        date=single.get("date"),
        target=single.get("target"),
        roles={c: role for c, role in draft_of.roles.items() if role not in _ONCE},
    )
    made = draft(
        table,
        market=draft_of.market,
        revision=draft_of.revision,
        known=known,
        answers=draft_of.answers,
    )
    if made.text is None or draft_of.preset == "test":
        return made
    preset = f"training: {{preset: {draft_of.preset}}}"
    text = re.sub(r"^training: \{preset: test\}.*$", preset, made.text, flags=re.MULTILINE)
    return Proposed(text=text, problem=made.problem, questions=made.questions, guesses=made.guesses)


_ONCE = ("date", "target")
