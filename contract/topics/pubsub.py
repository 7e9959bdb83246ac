"""Google Cloud Pub/Sub. Set PUBSUB_EMULATOR_HOST to talk to the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Self

from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors
from google.cloud import pubsub_v1  # type: ignore[attr-defined]  # no stubs
from google.cloud.pubsub_v1.publisher.exceptions import MessageTooLargeError

from contract.exceptions import DeniedError, ServiceError, TransientError
from contract.retries import BRIEF_RETRY

TIMEOUT = 10.0  # seconds of one request
WAIT = 30.0  # for the answer, its retries included


class PubSubTopic:
    """One topic of one project."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    @classmethod
    def connect(cls, name: str) -> Self:
        """Connect to a topic by its full name, with the machine's own credentials."""
        try:
            return cls(pubsub_v1.PublisherClient(), name)
        except auth_errors.GoogleAuthError as error:
            raise ServiceError(f"no credentials for Pub/Sub (`{name}`): {error}") from None

    @property
    def topic(self) -> str:
        """The topic's name: `projects/P/topics/T`."""
        return self._name

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        """Publish one message, wait until Pub/Sub accepts it, and return its id.

        Raises:
            DeniedError: Pub/Sub denies access, perhaps not for long.
            ServiceError: there is no such topic, or Pub/Sub refuses the message.
            TransientError: Pub/Sub does not answer.
        """
        try:
            future = self._client.publish(
                self._name, data, retry=BRIEF_RETRY, timeout=TIMEOUT, **dict(attributes)
            )
            return str(future.result(timeout=WAIT))
        except MessageTooLargeError:
            raise ServiceError(
                f"the message has {len(data)} bytes and {len(attributes)} attributes; "
                "allowed by Pub/Sub: at most 10 MB together"
            ) from None
        except google_errors.NotFound:
            raise ServiceError(f"there is no topic `{self._name}`") from None
        except google_errors.PermissionDenied as error:
            raise DeniedError(f"Pub/Sub refuses `{self._name}`: {error.message}") from None
        except (google_errors.Unauthenticated, google_errors.InvalidArgument) as error:
            raise ServiceError(f"Pub/Sub refuses `{self._name}`: {error.message}") from None
        except (google_errors.GoogleAPIError, FutureTimeoutError) as error:
            raise TransientError(f"Pub/Sub did not answer (`{self._name}`): {error}") from None
