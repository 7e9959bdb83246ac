"""Translate errors of the Cloud Storage client into this project's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors
from google.cloud.storage import exceptions as storage_errors

from contract.exceptions import (
    DeniedError,
    NotFoundError,
    PreconditionError,
    ServiceError,
    TransientError,
)

T = TypeVar("T")


class ChangedError(TransientError):
    """The bytes of an object changed between the client and the server."""


def call_storage(what: str, call: Callable[[], T]) -> T:
    """Run a call of the client on the bucket or object `what`.

    Raises:
        PreconditionError: another writer wrote the object first.
        NotFoundError: there is no such object, or no such bucket.
        DeniedError: Cloud Storage denies access, perhaps not for long.
        ServiceError: Cloud Storage refuses the call, or there are no credentials.
        TransientError: Cloud Storage does not answer.
        ChangedError: the bytes do not match their checksum.
    """
    try:
        return call()
    except google_errors.PreconditionFailed:
        raise PreconditionError(f"`{what}` was written by another writer first") from None
    except google_errors.NotFound:
        raise NotFoundError(f"no object `{what}` (or no such bucket)") from None
    except google_errors.Forbidden as error:
        raise DeniedError(f"Cloud Storage refuses `{what}`: {error.message}") from None
    except google_errors.Unauthorized as error:
        raise ServiceError(f"Cloud Storage refuses `{what}`: {error.message}") from None
    except auth_errors.GoogleAuthError as error:
        if error.retryable or isinstance(error, auth_errors.TransportError):
            raise TransientError(f"no token for Cloud Storage (`{what}`): {error}") from None
        raise ServiceError(f"no credentials for Cloud Storage (`{what}`): {error}") from None
    except google_errors.ClientError as error:
        if error.code in (408, 429):
            raise TransientError(f"Cloud Storage is busy (`{what}`): {error.message}") from None
        if error.code == 400 and _is_checksum(error.message):
            raise ChangedError(f"`{what}` was changed on the way: {error.message}") from None
        raise ServiceError(f"Cloud Storage refuses `{what}`: {error.message}") from None
    except storage_errors.DataCorruption as error:
        raise ChangedError(f"`{what}` was changed on the way: {error}") from None
    except (google_errors.GoogleAPIError, OSError) as error:
        raise TransientError(f"Cloud Storage did not answer (`{what}`): {error}") from None


def _is_checksum(message: str) -> bool:
    """Return whether the server reports that the bytes do not match their checksum."""
    return any(word in message.lower() for word in ("crc32c", "checksum", "md5"))
