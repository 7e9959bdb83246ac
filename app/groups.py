"""Members of Google groups, by the Cloud Identity API."""

from __future__ import annotations

from functools import cache
from typing import Any

from contract.exceptions import ServiceError, TransientError

API = "https://cloudidentity.googleapis.com/v1"
SCOPE = "https://www.googleapis.com/auth/cloud-identity.groups.readonly"


def is_member(group: str, address: str, *, session: Any = None) -> bool:
    """Return whether an address is a direct member of a group.

    Raises:
        ServiceError: the console's account may not look at the group, or there is no such group.
        TransientError: the service is unreachable.
    """
    session = session or _session()
    name = _get(session, f"{API}/groups:lookup", {"groupKey.id": group})
    if name is None:
        raise ServiceError(f"there is no group `{group}`, or this console may not look at it")
    found = _get(session, f"{API}/{name['name']}/memberships:lookup", {"memberKey.id": address})
    return found is not None


def _get(session: Any, url: str, parameters: dict[str, str]) -> Any:
    """Return the answer, None if what was looked up is not there."""
    try:
        answer = session.get(url, params=parameters, timeout=10)
    except OSError as error:
        raise TransientError(f"{API} is unreachable: {error}") from None
    if answer.status_code in (403, 404):
        return None
    if answer.status_code != 200:
        raise TransientError(f"{API} answers with {answer.status_code}; try again")
    return answer.json()


@cache
def _session() -> Any:
    import google.auth
    from google.auth.transport.requests import AuthorizedSession

    credentials, _ = google.auth.default(scopes=[SCOPE])
    return AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
