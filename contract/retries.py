"""One policy for the retries of every client: transient errors only, jittered, bounded, logged."""

from __future__ import annotations

import logging
from collections.abc import Callable

from google.api_core.retry import Retry

log = logging.getLogger("mmm.retries")


def policy(transient: Callable[[Exception], bool], *, seconds: float) -> Retry:
    """Try again while `transient` says so, for at most `seconds`.

    The waits are drawn at random below a bound that grows from 0.5 to 5 s.
    """
    return Retry(
        predicate=transient,
        initial=0.5,
        multiplier=2.0,
        maximum=5.0,
        timeout=seconds,
        on_error=_note,
    )


def _note(error: Exception) -> None:
    log.warning("trying again after %s: %s", type(error).__name__, error)
