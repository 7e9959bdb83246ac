"""Sign in: the person whom Identity-Aware Proxy names, or the user of this machine.

Identity-Aware Proxy adds a signed header to each request. Its signature is verified with Google's
public keys, so a request that goes around the proxy is refused. The header is valid for minutes and
a page lives longer: it is verified when the page connects, and again when it connects anew, at the
latest after Cloud Run's limit of an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.people import InGroup, NotAllowedError, Person, Role, role_of
from app.settings import Settings
from contract.exceptions import TransientError
from mmm.decisions import current_user

HEADER = "X-Goog-IAP-JWT-Assertion"
KEYS = "https://www.gstatic.com/iap/verify/public_key"
ISSUER = "https://cloud.google.com/iap"

Verify = Callable[[str, str], Mapping[str, Any]]


def sign_in(settings: Settings, header: str | None, *, verify: Verify, in_group: InGroup) -> Person:
    """Return the person of a request.

    Args:
        settings: The console's settings; without an audience, there is no sign-in.
        header: The request's signed header.
        verify: Returns the claims of a signed header for an audience.
        in_group: Whether an address is a member of a group.

    Raises:
        NotAllowedError: the header is missing or not valid, or the person has no role.
        TransientError: Google's keys cannot be read.
    """
    settings.check()
    if settings.audience is None:
        return Person(name=settings.user or current_user(), role=Role.APPROVER)
    if not header:
        raise NotAllowedError("you are not signed in: the request did not come through the proxy")
    claims = verify(header, settings.audience)
    address = claims.get("email")
    if claims.get("iss") != ISSUER or not isinstance(address, str) or "@" not in address:
        raise NotAllowedError("you are not signed in: the proxy's header has no e-mail address")
    role = role_of(address, settings, in_group)
    if role is None:
        raise NotAllowedError(
            f"{address} has no role here; ask this console's administrator for one"
        )
    return Person(name=address, role=role)


def verify_header(header: str, audience: str) -> Mapping[str, Any]:
    """Return the claims of a header that Identity-Aware Proxy has signed for an audience.

    Raises:
        NotAllowedError: the signature, the audience or the time is wrong.
        TransientError: Google's keys cannot be read.
    """
    from google.auth import exceptions
    from google.auth.transport.requests import Request
    from google.oauth2 import id_token

    try:
        claims = id_token.verify_token(
            header, Request(), audience=audience, certs_url=KEYS, clock_skew_in_seconds=30
        )
    except exceptions.TransportError:
        raise TransientError(f"the keys at {KEYS} cannot be read; try again") from None
    except (exceptions.GoogleAuthError, ValueError):
        raise NotAllowedError("you are not signed in: the proxy's header is not valid") from None
    return dict(claims)
