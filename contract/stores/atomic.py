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

from contract.exceptions import DamagedError, NotFoundError, PreconditionError, TransientError
from contract.stores.base import JSON, Blob, Store

PATIENCE = 30.0  # seconds
FIRST_WAIT = 0.005  # seconds; the bound doubles with each attempt
LONGEST_WAIT = 2.0


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
    patience: float = PATIENCE,
    content_type: str = JSON,
) -> Blob | None:
    """Change an object by compare and swap.

    After another writer came between, it waits for a random time below a bound that doubles from
    FIRST_WAIT to LONGEST_WAIT seconds, then reads and changes again.

    Args:
        store: The bucket.
        path: The object.
        change: Takes the stored object (None if there is none) and returns the new bytes, or None
            to leave the object as it is. It is called once per attempt; its errors end the update.
            A file that cannot be read counts as empty.
        patience: For how many seconds it reads, changes and writes before it gives up. Cloud
            Storage takes one write a second of an object, so n writers at once need n seconds.
        content_type: The media type of the new object.

    Returns:
        What is stored now: the new object, or the old one (None if there is none) if `change`
        left it as it is.

    Raises:
        TransientError: another writer came between at every attempt.
    """
    deadline, longest = time.monotonic() + patience, FIRST_WAIT
    while True:
        old = stored(store, path)
        data = change(old)
        if data is None:
            return old
        try:
            generation = store.write(
                path,
                data,
                if_generation=old.generation if old else 0,
                content_type=content_type,
            )
        except PreconditionError:
            if time.monotonic() > deadline:
                raise TransientError(
                    f"`{store.url}/{path}` cannot be updated: other writers changed it again and "
                    f"again for {patience:.0f} s; try again later"
                ) from None
            time.sleep(random.uniform(0, longest))  # noqa: S311
            longest = min(LONGEST_WAIT, longest * 2)
            continue
        return Blob(data=data, generation=generation)


def stored(store: Store, path: str) -> Blob | None:
    """Return an object, None if there is none; a file that cannot be read counts as empty."""
    try:
        return store.read(path)
    except NotFoundError:
        return None
    except DamagedError:  # a file that cannot be read can still be replaced
        info = store.stat(path)
        return Blob(data=b"", generation=info.generation) if info else None
