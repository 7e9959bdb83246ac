"""Google Cloud Pub/Sub. Set PUBSUB_EMULATOR_HOST to talk to the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Self

from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors
from google.cloud import pubsub_v1  # type: ignore[attr-defined]  # no stubs

from contract.exceptions import ServiceError, TransientError
from contract.retries import policy

RETRY = policy(
    lambda error: isinstance(
        error,
        google_errors.ServiceUnavailable
        | google_errors.TooManyRequests
        | google_errors.InternalServerError
        | google_errors.DeadlineExceeded
        | google_errors.Aborted,
    ),
    seconds=20,
)


class PubSubTopic:
    """One topic of one project."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    @classmethod
    def connect(cls, name: str) -> Self:
        """A topic by its full name, with the machine's own credentials."""
        try:
            return cls(pubsub_v1.PublisherClient(), name)
        except auth_errors.GoogleAuthError as error:
            raise ServiceError(f"no credentials for Pub/Sub (`{name}`): {error}") from None

    @property
    def topic(self) -> str:
        """`projects/P/topics/T`."""
        return self._name

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        """Publish one message and wait until Pub/Sub has it."""
        future = self._client.publish(
            self._name, data, retry=RETRY, timeout=10.0, **dict(attributes)
        )
        try:
            return str(future.result(timeout=30))
        except google_errors.NotFound:
            raise ServiceError(f"there is no topic `{self._name}`") from None
        except (google_errors.PermissionDenied, google_errors.Unauthenticated) as error:
            raise ServiceError(f"Pub/Sub refuses `{self._name}`: {error.message}") from None
        except (google_errors.GoogleAPIError, FutureTimeoutError) as error:
            raise TransientError(f"Pub/Sub did not answer (`{self._name}`): {error}") from None
