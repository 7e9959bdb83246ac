"""Who is signed in, and what that person may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from app.settings import Settings
from contract.exceptions import MMMError

InGroup = Callable[[str, str], bool]


class NotAllowedError(MMMError):
    """The person who is signed in may not do this."""

    exit_code = 69


class Role(IntEnum):
    """What a person may do; each role includes the ones before it.

    A viewer looks. An editor also saves configs, and starts and cancels runs. An approver also
    decides which run is a market's current one.
    """

    VIEWER = 1
    EDITOR = 2
    APPROVER = 3

    @property
    def title(self) -> str:
        """The role as a word."""
        return self.name.lower()


@dataclass(frozen=True, kw_only=True)
class Person:
    """A person who is signed in."""

    name: str
    role: Role

    def require(self, role: Role, action: str) -> None:
        """Refuse an action that needs a higher role.

        Raises:
            NotAllowedError: the person's role is too low.
        """
        if self.role < role:
            article = "an" if role.title[0] in "ae" else "a"
            raise NotAllowedError(
                f"you may not {action}: that needs {article} {role.title}, and {self.name} is "
                f"signed in as {self.role.title}. Ask this console's administrator for the role"
            )


def role_of(address: str, settings: Settings, in_group: InGroup) -> Role | None:
    """Return the highest role of an address, None if it may not even look.

    Without a list of viewers, everybody whom the proxy lets in may look.
    """
    for role, people in (
        (Role.APPROVER, settings.approvers),
        (Role.EDITOR, settings.editors),
        (Role.VIEWER, settings.viewers),
    ):
        if any(_is(address, one, in_group) for one in people.split(",") if one.strip()):
            return role
    return None if settings.viewers.strip() else Role.VIEWER


def _is(address: str, entry: str, in_group: InGroup) -> bool:
    entry, address = entry.strip().lower(), address.lower()
    if entry.startswith("group:"):
        return in_group(entry.removeprefix("group:"), address)
    return address.endswith(entry) if entry.startswith("@") else address == entry
