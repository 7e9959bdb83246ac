"""Go on without an object that is damaged, where nothing depends on it.

An object is damaged if it cannot be read, or is not what this project wrote. `docs/bucket.md` lists
what happens then, for each object.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from contract.exceptions import DamagedError

T = TypeVar("T")
log = logging.getLogger("mmm.bucket")


def unless_damaged(read: Callable[[], T], otherwise: T, *, then: str) -> T:
    """Return what `read` returns; if an object is damaged, warn and return `otherwise`.

    Args:
        read: Reads an object.
        otherwise: The value without the object.
        then: What happens without the object, as the end of the warning's sentence.
    """
    try:
        return read()
    except DamagedError as error:
        warn(error, then=then)
        return otherwise


def warn(error: DamagedError, *, then: str) -> None:
    """Log a warning that names the damaged object and says what happens without it."""
    log.warning("%s; %s (`mmm doctor` shows the remedy)", error.message, then)
