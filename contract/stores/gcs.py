"""Google Cloud Storage. Retries are the client's own; every write is made safe to repeat.

Set STORAGE_EMULATOR_HOST to talk to a stand-in.
"""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors
from google.cloud import storage
from google.cloud.storage import exceptions as storage_errors
from google.cloud.storage.retry import DEFAULT_RETRY
from google_crc32c import Checksum

from contract.exceptions import NotFoundError, PreconditionError, ServiceError, TransientError
from contract.retries import policy
from contract.stores.base import JSON, Blob, ObjectInfo

T = TypeVar("T")
RETRY = policy(DEFAULT_RETRY._predicate, seconds=60)
TIMEOUT = (10, 60)
WRITES = 3  # of an object that arrives with other bytes than were sent
log = logging.getLogger("mmm.retries")


class GCSStore:
    """Objects of one bucket."""

    def __init__(self, bucket: Any) -> None:
        self._bucket = bucket

    @classmethod
    def connect(cls, bucket: str) -> Self:
        """A store on the bucket, with the machine's own credentials."""
        client = call_storage(bucket, lambda: storage.Client(project=os.environ.get("MMM_PROJECT")))
        return cls(client.bucket(bucket))

    @property
    def url(self) -> str:
        """`gs://bucket`."""
        return f"gs://{self._bucket.name}"

    def read(self, path: str, *, limit: int | None = None) -> Blob:
        """The bytes and generation of an object."""
        blob = self._bucket.blob(path)
        end = None if limit is None else limit - 1
        data = self._try(
            path, lambda: blob.download_as_bytes(end=end, retry=RETRY, timeout=TIMEOUT)
        )
        return Blob(data=data, generation=int(blob.generation or self._generation(path)))

    def write(
        self, path: str, data: bytes, *, if_generation: int | None = None, content_type: str = JSON
    ) -> int:
        """Write an object; see the protocol for the preconditions.

        A retried write whose first answer was lost would find its own object and take it for
        somebody else's: what lies there is compared before the precondition is believed. What the
        server has is compared with what was sent.
        """
        expected = crc32c_of(data)
        for _ in range(WRITES):
            generation, crc32c = self._write(path, data, if_generation, content_type)
            if crc32c == expected:
                return generation
            log.warning("`%s` arrived with other bytes than were sent; writing it again", path)
            if_generation = generation
        raise TransientError(f"`{self.url}/{path}` arrives with other bytes than are sent")

    def _write(
        self, path: str, data: bytes, if_generation: int | None, content_type: str
    ) -> tuple[int, str]:
        """Write once; returns generation and CRC32C of what the server has."""
        tries: list[str] = []
        try:
            return self._insert(path, data, if_generation, content_type, tries)
        except PreconditionError:
            mine = self._mine(path, data) if len(tries) > 1 else None
            if mine is None or if_generation == mine:
                raise
            return mine, crc32c_of(data)

    def _insert(
        self, path: str, data: bytes, if_generation: int | None, content_type: str, tries: list[str]
    ) -> tuple[int, str]:
        """Send the object, again where that may help; each try is noted in `tries`."""
        blob = self._bucket.blob(path)

        def retry(send: Callable[[], T]) -> Callable[[], T]:
            def counted() -> T:
                tries.append(path)
                return send()

            return RETRY(counted)

        self._try(
            path,
            lambda: blob.upload_from_string(
                data,
                content_type=content_type,
                if_generation_match=if_generation,
                retry=retry,
                timeout=TIMEOUT,
                checksum="crc32c",
            ),
        )
        return int(blob.generation), str(blob.crc32c)

    def upload(
        self,
        local: Path,
        path: str,
        *,
        content_type: str | None = None,
        if_generation: int | None = None,
    ) -> ObjectInfo:
        """Write a file; the client sends a CRC32C that the server checks, and gets the server's."""
        blob = self._bucket.blob(path)
        try:
            self._try(
                path,
                lambda: blob.upload_from_filename(
                    str(local),
                    content_type=content_type,
                    if_generation_match=if_generation,
                    retry=RETRY,
                    timeout=(10, 300),
                    checksum="crc32c",
                ),
            )
        except PreconditionError:
            there = self.stat(path)
            if there is None or there.generation == if_generation:
                raise
            if there.crc32c != crc32c_of(local.read_bytes()):
                raise
            return there  # the answer to the first try was lost
        return _info(blob)

    def download(self, path: str, local: Path) -> None:
        """Write an object to a file."""
        local.parent.mkdir(parents=True, exist_ok=True)
        partial = local.with_name(f"{local.name}.part")
        blob = self._bucket.blob(path)
        try:
            self._try(
                path,
                lambda: blob.download_to_filename(
                    str(partial), retry=RETRY, timeout=(10, 300), checksum="crc32c"
                ),
            )
            partial.replace(local)
        finally:
            partial.unlink(missing_ok=True)

    def stat(self, path: str) -> ObjectInfo | None:
        """Size, checksum and generation of an object."""
        blob = self._try(path, lambda: self._bucket.get_blob(path, retry=RETRY, timeout=TIMEOUT))
        return None if blob is None else _info(blob)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Objects below a prefix."""
        fields = "items(name,size,crc32c,generation,updated),nextPageToken"
        for blob in self._try(
            prefix,
            lambda: list(
                self._bucket.list_blobs(prefix=prefix, fields=fields, retry=RETRY, timeout=TIMEOUT)
            ),
        ):
            yield _info(blob)

    def folders(self, prefix: str) -> Iterator[str]:
        """Names of the folders directly below a prefix."""

        def listed() -> set[str]:
            pages = self._bucket.list_blobs(
                prefix=prefix,
                delimiter="/",
                fields="prefixes,nextPageToken",
                retry=RETRY,
                timeout=TIMEOUT,
            )
            for _ in pages:  # the folders are known once all pages were read
                continue
            return set(pages.prefixes)

        found = self._try(prefix, listed)
        yield from sorted(name.removeprefix(prefix).rstrip("/") for name in found)

    def delete(self, path: str) -> None:
        """Remove an object."""
        try:
            self._try(path, lambda: self._bucket.blob(path).delete(retry=RETRY, timeout=TIMEOUT))
        except NotFoundError:
            return

    def _generation(self, path: str) -> int:
        info = self.stat(path)
        if info is None:
            raise NotFoundError(f"no object `{path}` in {self.url}")
        return info.generation

    def _mine(self, path: str, data: bytes) -> int | None:
        """Generation of the object if it holds exactly what was to be written."""
        try:
            there = self.read(path)
        except NotFoundError:
            return None
        return there.generation if there.data == data else None

    def _try(self, path: str, call: Callable[[], T]) -> T:
        return call_storage(f"{self.url}/{path}", call)


def _info(blob: Any) -> ObjectInfo:
    return ObjectInfo(
        path=blob.name,
        size=int(blob.size),
        crc32c=blob.crc32c,
        generation=int(blob.generation),
        updated=blob.updated,
    )


def crc32c_of(data: bytes) -> str:
    """CRC32C as Cloud Storage writes it: base64 of four big-endian bytes."""
    return base64.b64encode(Checksum(data).digest()).decode()  # type: ignore[no-untyped-call]


def call_storage(what: str, call: Callable[[], T]) -> T:
    """Run a client call, its errors in this project's words."""
    try:
        return call()
    except google_errors.PreconditionFailed:
        raise PreconditionError(f"`{what}` was written by somebody else first") from None
    except google_errors.NotFound:
        raise NotFoundError(f"no object `{what}` (or no such bucket)") from None
    except (google_errors.Forbidden, google_errors.Unauthorized) as error:
        raise ServiceError(f"Cloud Storage refuses `{what}`: {error.message}") from None
    except auth_errors.GoogleAuthError as error:
        if error.retryable or isinstance(error, auth_errors.TransportError):
            raise TransientError(f"no token for Cloud Storage (`{what}`): {error}") from None
        raise ServiceError(f"no credentials for Cloud Storage (`{what}`): {error}") from None
    except google_errors.ClientError as error:
        if error.code in (408, 429):
            raise TransientError(f"Cloud Storage is busy (`{what}`): {error.message}") from None
        if error.code == 400 and _is_checksum(error.message):
            raise TransientError(f"`{what}` was changed on the way: {error.message}") from None
        raise ServiceError(f"Cloud Storage refuses `{what}`: {error.message}") from None
    except storage_errors.DataCorruption as error:
        raise TransientError(f"`{what}` was changed on the way: {error}") from None
    except (google_errors.GoogleAPIError, OSError) as error:
        raise TransientError(f"Cloud Storage did not answer (`{what}`): {error}") from None


def _is_checksum(message: str) -> bool:
    """Whether the server says that the bytes do not fit their checksum."""
    return any(word in message.lower() for word in ("crc32c", "checksum", "md5"))
