"""Compare two runs: find them, what differs, and the parts of the difference."""

from __future__ import annotations

from collections.abc import Callable

from contract.stores import Store
from mmm.compare.causes import causes
from mmm.compare.document import Compared, document
from mmm.compare.parts import difference
from mmm.compare.runs import find_run


def compare_runs(
    store: Store,
    before: str,
    after: str,
    *,
    revision: str,
    may_draw: bool,
    on_draw: Callable[[str], None] = lambda _: None,
) -> Compared:
    """Return the comparison of two runs, each named as `mmm compare` names it.

    Args:
        store: The bucket.
        before: A run id, a market, or MARKET@DATE.
        after: The run to compare with it; the same.
        revision: The revision of a market.
        may_draw: Whether the posterior may be drawn again, to split the change by its causes.
        on_draw: Called with each step that is drawn.

    Raises:
        ConfigError: there is no such run, or it has no results.
        DamagedError: one of its objects cannot be read.
    """
    one, other = (find_run(store, text, revision=revision) for text in (before, after))
    found = causes(one, other)
    split = difference(store, one, other, list(found), may_draw=may_draw, on_draw=on_draw)
    return document(one, other, found, split)
