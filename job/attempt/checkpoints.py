"""Finished trials and the extract, kept in the store so that a retry computes nothing again."""

from __future__ import annotations

from pathlib import Path

from contract import layout
from contract.exceptions import NotFoundError
from contract.stores.atomic import create
from contract.stores.base import Store


def save(store: Store, run_id: str, name: str, file: Path) -> bool:
    """Keep a file under the run's `work/`, once; False where another attempt's file stays."""
    return create(
        store,
        layout.work(run_id, name),
        file.read_bytes(),
        content_type="application/octet-stream",
    )


def restore(store: Store, run_id: str, name: str, file: Path) -> bool:
    """Bring a kept file back; False where there is none."""
    try:
        store.download(layout.work(run_id, name), file)
    except NotFoundError:
        return False
    return True


def restore_trials(store: Store, run_id: str, folder: Path) -> list[str]:
    """Bring finished trials back; returns their names."""
    prefix = layout.work(run_id, "trials/")
    names = []
    for info in store.list(prefix):
        name = info.path.removeprefix(prefix)
        store.download(info.path, folder / name)
        names.append(name)
    return names
