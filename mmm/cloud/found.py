"""Make checks: what was found, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mmm.machine import Check, Level

APPLY = "`terraform apply` sets it as the module describes it"


def ok(check: str, message: str) -> Check:
    """Return a check that found what it needs."""
    return Check(check=check, level=Level.OK, message=message)


def warn(check: str, message: str, remedy: str) -> Check:
    """Return a check that found something that a person should look at."""
    return Check(check=check, level=Level.WARN, message=message, remedy=remedy)


def fail(check: str, message: str, remedy: str) -> Check:
    """Return a check that found what does not work."""
    return Check(check=check, level=Level.FAIL, message=message, remedy=remedy)


def all_of(
    check: str, message: str, facts: Mapping[str, object], *, remedy: str = APPLY
) -> Iterator[Check]:
    """Yield a failed check for each fault, or one that is in order.

    Args:
        check: The name of the check.
        message: What is in order.
        facts: Whether each is well (true), by the fault that it is otherwise.
        remedy: What to do about a fault.
    """
    faults = [fault for fault, is_well in facts.items() if not is_well]
    for fault in faults:
        yield fail(check, fault, remedy)
    if not faults:
        yield ok(check, message)
