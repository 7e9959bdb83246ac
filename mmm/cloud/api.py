"""Call Google's REST APIs with the machine's own credentials, or as a service account.

The calls are plain HTTP, so that a check of many services needs no client library of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import google.auth
import requests
from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors
from google.auth.transport.requests import AuthorizedSession

from contract.exceptions import DeniedError, NotFoundError, ServiceError, TransientError
from contract.retries import BRIEF_RETRY, is_transient

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TIMEOUT = (5, 20)  # seconds to connect, and between two pieces of the answer


def address(service: str) -> str:
    """Return the address of a service, e.g. `run`."""
    return f"https://{service}.googleapis.com"


class Api:
    """A session with Google's APIs; every answer is a JSON object."""

    def __init__(self, session: requests.Session, *, base: Callable[[str], str] = address) -> None:
        self._session, self._base = session, base

    @classmethod
    def connect(cls) -> Self:
        """Sign in with the machine's own credentials.

        Raises:
            ServiceError: there are none.
        """
        try:
            credentials, _ = google.auth.default(scopes=[SCOPE])
        except auth_errors.GoogleAuthError as error:
            raise ServiceError(
                f"no credentials for Google Cloud: {error} (run `gcloud auth application-default "
                "login`)"
            ) from None
        return cls(AuthorizedSession(credentials))  # type: ignore[no-untyped-call]

    def get(
        self, service: str, path: str, params: Mapping[str, str | list[str]] | None = None
    ) -> dict[str, Any]:
        """Read a resource.

        Raises:
            NotFoundError: there is none.
            DeniedError: the caller may not read it, or the API is not enabled.
            ServiceError, TransientError: the service refuses, or does not answer.
        """
        return self._call("GET", service, path, params=params)

    def post(self, service: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Call a method that changes nothing, such as `:testIamPermissions`; raises as `get`."""
        return self._call("POST", service, path, json=body)

    def as_account(self, email: str) -> Api:
        """Return a session as a service account.

        Raises:
            DeniedError: the caller may not act as the account.
        """
        answer = self.post(
            "iamcredentials",
            f"v1/projects/-/serviceAccounts/{email}:generateAccessToken",
            {"scope": [SCOPE], "lifetime": "300s"},
        )
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {answer['accessToken']}"
        return Api(session, base=self._base)

    def _call(self, method: str, service: str, path: str, **options: Any) -> dict[str, Any]:
        def send() -> dict[str, Any]:
            url = f"{self._base(service)}/{path}"
            response = self._session.request(method, url, timeout=TIMEOUT, **options)
            if not response.ok:
                raise google_errors.from_http_response(response)  # type: ignore[no-untyped-call]
            answer: dict[str, Any] = response.json()
            return answer

        what = f"{service}.googleapis.com/{path}"
        try:
            answer: dict[str, Any] = BRIEF_RETRY(send)()
            return answer
        except google_errors.RetryError as error:
            said = _reason(error.cause or error)
            raise TransientError(f"`{what}` does not answer: {said}") from None
        except google_errors.NotFound:
            raise NotFoundError(f"there is no `{what}`") from None
        except google_errors.Forbidden as error:
            raise DeniedError(f"`{what}` is refused: {_reason(error)}") from None
        except (auth_errors.GoogleAuthError, google_errors.Unauthorized) as error:
            raise ServiceError(f"the sign-in to Google Cloud fails: {error}") from None
        except (google_errors.GoogleAPIError, requests.RequestException, ValueError) as error:
            kind = TransientError if is_transient(error) else ServiceError
            raise kind(f"`{what}` fails: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """Return what the service said, without the method and address in front of it."""
    text = getattr(error, "message", None) or str(error)
    said = str(text).partition(": ")[2] or str(text)
    return " ".join(said.split())[:300]
