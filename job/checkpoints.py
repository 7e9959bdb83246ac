"""Finished trials and the extract, kept in the store so that a retry computes nothing again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from contract import layout
from contract.base import canonical_json
from contract.exceptions import NotFoundError, PreconditionError
from contract.stores.base import Store


def save(store: Store, run_id: str, name: str, file: Path) -> None:
    """Keep a file under the run's `work/`, once: the first writer's bytes stay."""
    try:
        store.write(
            layout.work(run_id, name), file.read_bytes(), if_generation=0,
            content_type="application/octet-stream",
        )
    except PreconditionError:
        return


def save_facts(store: Store, run_id: str, name: str, facts: dict[str, Any]) -> None:
    """Keep a JSON object under the run's `work/`, once."""
    try:
        store.write(layout.work(run_id, name), canonical_json(facts), if_generation=0)
    except PreconditionError:
        return


def load_facts(store: Store, run_id: str, name: str) -> dict[str, Any] | None:
    """A JSON object of the run's `work/`, None where there is none."""
    try:
        return dict(json.loads(store.read(layout.work(run_id, name)).data))
    except NotFoundError:
        return None


def restore_trials(store: Store, run_id: str, folder: Path) -> list[str]:
    """Bring finished trials back; returns their names."""
    prefix = layout.work(run_id, "trials/")
    names = []
    for info in store.list(prefix):
        name = info.path.removeprefix(prefix)
        store.download(info.path, folder / name)
        names.append(name)
    return names
