"""Atomic changes of one object: create it once, or update it by compare and swap.

Two writers never overwrite each other: each write names the generation that it replaces. `update`
reads, changes and writes, and starts again if another writer came between. Code that holds a
right bound to one generation (a lease, a launch) uses `Store.write` itself: for such code another
writer means that the right is lost, so a second attempt would be wrong.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from contract.exceptions import NotFoundError, PreconditionError, TransientError
from contract.stores.base import JSON, Blob, Store

ATTEMPTS = 20
FIRST_WAIT = 0.005  # seconds; the bound doubles with each attempt
LONGEST_WAIT = 1.0


def create(store: Store, path: str, data: bytes, *, content_type: str = JSON) -> bool:
    """Write an object that does not exist yet.

    Returns:
        True if this call wrote it, False if the object exists.
    """
    try:
        store.write(path, data, if_generation=0, content_type=content_type)
    except PreconditionError:
        return False
    return True


def update(
    store: Store,
    path: str,
    change: Callable[[Blob | None], bytes | None],
    *,
    attempts: int = ATTEMPTS,
) -> Blob | None:
    """Change an object by compare and swap.

    After another writer came between, it waits for a random time below a bound that doubles from
    FIRST_WAIT to LONGEST_WAIT seconds, then reads and changes again.

    Args:
        store: The bucket.
        path: The object.
        change: Takes the stored object (None if there is none) and returns the new bytes, or None
            to leave the object as it is. It is called once per attempt; its errors end the update.
        attempts: How often it reads, changes and writes before it gives up.

    Returns:
        What is stored now: the new object, or the old one (None if there is none) if `change`
        left it as it is.

    Raises:
        TransientError: another writer came between at every attempt.
    """
    for attempt in range(attempts):
        if attempt:
            time.sleep(random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1))))  # noqa: S311
        try:
            old = store.read(path)
        except NotFoundError:
            old = None
        data = change(old)
        if data is None:
            return old
        try:
            generation = store.write(path, data, if_generation=old.generation if old else 0)
        except PreconditionError:
            continue
        return Blob(data=data, generation=generation)
    raise TransientError(
        f"`{store.url}/{path}` cannot be updated: another writer changed it during each of "
        f"{attempts} attempts; try again later"
    )
