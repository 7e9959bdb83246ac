"""Store finished trials and the extract, so that a retry does not compute them again."""

from __future__ import annotations

from pathlib import Path

from contract import layout
from contract.exceptions import NotFoundError
from contract.stores.atomic import create
from contract.stores.base import Store


def save(store: Store, run_id: str, name: str, file: Path) -> bool:
    """Store a file once under the run's `work/`; return False if another attempt stored it."""
    return create(
        store,
        layout.work(run_id, name),
        file.read_bytes(),
        content_type="application/octet-stream",
    )


def restore(store: Store, run_id: str, name: str, file: Path) -> bool:
    """Download a stored file; return False if there is none."""
    try:
        store.download(layout.work(run_id, name), file)
    except NotFoundError:
        return False
    return True


def restore_trials(store: Store, run_id: str, folder: Path) -> list[str]:
    """Download the finished trials; return their names."""
    prefix = layout.trials(run_id)
    names = []
    for info in store.list(prefix):
        name = info.path.removeprefix(prefix)
        store.download(info.path, folder / name)
        names.append(name)
    return names
