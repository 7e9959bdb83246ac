"""Google Cloud Storage; each call has the retries of `contract.retries`.

The service takes one write a second of each object. A process therefore waits before it writes the
same object again. A conditional write that is refused because of other processes' writes looks
whether it can still succeed, and is tried again only then.

A write whose first answer is lost is repeated and then meets its own object. The writer therefore
compares the stored bytes with its own before it believes that another writer was first. The server
compares the bytes with the checksum sent with them, and refuses those that changed in transit; they
are then sent again. Bytes that come back changed are read again.

Set STORAGE_EMULATOR_HOST to talk to a stand-in.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from google.api_core import exceptions as google_errors
from google.cloud import storage

from contract import environment
from contract.exceptions import NotFoundError, PreconditionError, TransientError
from contract.retries import RETRY, TOO_MANY, status_of, while_denied
from contract.stores.base import JSON, Blob, ObjectInfo
from contract.stores.checksums import crc32c_of, crc32c_of_stream
from contract.stores.gcs_errors import ChangedError, call_storage
from contract.stores.pace import Pace

T = TypeVar("T")
TIMEOUT = (10, 60)  # seconds to connect, and between two pieces of the answer
FILE_TIMEOUT = (10, 300)
TRIES = 3  # for an object whose bytes change in transit
log = logging.getLogger("mmm.retries")


@dataclass(frozen=True, kw_only=True)
class _Content:
    """Content to send, and the size and checksum that the server must report afterwards."""

    send: Callable[..., None]
    size: int
    crc32c: str

    def is_in(self, stored: ObjectInfo) -> bool:
        return (stored.size, stored.crc32c) == (self.size, self.crc32c)


class GCSStore:
    """Objects of one bucket."""

    def __init__(self, bucket: Any, *, denied_seconds: float = 0.0) -> None:
        self._bucket = bucket
        self._denied_seconds = denied_seconds
        self._pace = Pace()

    @classmethod
    def connect(cls, bucket: str, *, denied_seconds: float = 0.0) -> Self:
        """Open a bucket with the machine's own credentials.

        A call that is denied (403) is repeated for `denied_seconds`.
        """
        client = call_storage(
            bucket, lambda: storage.Client(project=os.environ.get(environment.PROJECT))
        )
        return cls(client.bucket(bucket), denied_seconds=denied_seconds)

    @property
    def url(self) -> str:
        """The bucket's address: `gs://bucket`."""
        return f"gs://{self._bucket.name}"

    @property
    def write_pause(self) -> float:
        """One second."""
        return self._pace.seconds

    def read(self, path: str, *, limit: int | None = None) -> Blob:
        """Read the bytes and the generation of an object.

        A try that fails starts again from the first byte: the client itself would continue where
        the answer was cut, and could join the parts of two generations.
        """
        end = None if limit is None else limit - 1

        def download() -> tuple[bytes, int | None]:
            blob = self._bucket.blob(path)
            data = blob.download_as_bytes(end=end, retry=None, timeout=TIMEOUT)
            return data, blob.generation

        data, generation = _unchanged(
            lambda: self._try(path, RETRY(download)), then="it is read again"
        )
        return Blob(data=data, generation=int(generation or self._generation(path)))

    def write(
        self, path: str, data: bytes, *, if_generation: int | None = None, content_type: str = JSON
    ) -> int:
        """Write an object; see the protocol for the preconditions."""

        def send(blob: Any, **options: Any) -> None:
            blob.upload_from_string(data, content_type=content_type, timeout=TIMEOUT, **options)

        content = _Content(send=send, size=len(data), crc32c=crc32c_of(data))
        return self._send(path, content, if_generation).generation

    def upload(
        self,
        local: Path,
        path: str,
        *,
        content_type: str | None = None,
        if_generation: int | None = None,
    ) -> ObjectInfo:
        """Upload a file; see the protocol for the preconditions."""

        def send(blob: Any, **options: Any) -> None:
            blob.upload_from_filename(
                str(local), content_type=content_type, timeout=FILE_TIMEOUT, **options
            )

        with local.open("rb") as stream:
            crc32c = crc32c_of_stream(stream)
        content = _Content(send=send, size=local.stat().st_size, crc32c=crc32c)
        return self._send(path, content, if_generation)

    def _send(self, path: str, content: _Content, if_generation: int | None) -> ObjectInfo:
        """Send an object until the server accepts it: it refuses bytes that changed on the way."""
        try:
            return _unchanged(
                lambda: self._send_once(path, content, if_generation), then="it is written again"
            )
        except ChangedError:
            raise TransientError(
                f"`{self.url}/{path}` arrives with other bytes than are sent"
            ) from None

    def _send_once(self, path: str, content: _Content, if_generation: int | None) -> ObjectInfo:
        blob = self._bucket.blob(path)
        tries, too_many = 0, False

        def retry(request: Callable[[], T]) -> Callable[[], T]:
            def counted() -> T:
                nonlocal tries, too_many
                if too_many and if_generation is not None:
                    self._check_unchanged(path, if_generation)
                tries += 1
                try:
                    return request()
                except Exception as error:  # noted, and raised again
                    too_many = status_of(error) == TOO_MANY
                    raise

            return RETRY(counted)

        def send() -> None:
            content.send(blob, if_generation_match=if_generation, retry=retry, checksum="crc32c")

        self._pace.wait(path)
        try:
            self._try(path, send)
        except PreconditionError:
            self._pace.failed(path)
            stored = self.stat(path) if tries > 1 else None
            if stored is None or stored.generation == if_generation or not content.is_in(stored):
                raise
            return stored  # the object is our own: the answer to an earlier try was lost
        self._pace.wrote(path)
        return _info(blob)

    def _check_unchanged(self, path: str, generation: int) -> None:
        """Raise the server's error for a write that is busy and already too late.

        The server refuses a write for its rate before it looks at the precondition. Among many
        writers, one that only tries again would be refused for as long as others succeed.
        """
        info = self.stat(path)
        if (info.generation if info else 0) != generation:
            raise google_errors.PreconditionFailed("it has another generation")  # type: ignore[no-untyped-call]

    def download(self, path: str, local: Path) -> None:
        """Download an object to a file, whole or not at all."""
        local.parent.mkdir(parents=True, exist_ok=True)
        partial = local.with_name(f"{local.name}.part")
        blob = self._bucket.blob(path)

        def download() -> None:
            blob.download_to_filename(
                str(partial), retry=RETRY, timeout=FILE_TIMEOUT, checksum="crc32c"
            )

        try:
            _unchanged(lambda: self._try(path, download), then="it is read again")
            partial.replace(local)
        finally:
            partial.unlink(missing_ok=True)

    def stat(self, path: str) -> ObjectInfo | None:
        """Return the metadata of an object, None if there is no object."""
        blob = self._try(path, lambda: self._bucket.get_blob(path, retry=RETRY, timeout=TIMEOUT))
        return None if blob is None else _info(blob)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects below a prefix."""
        fields = "items(name,size,crc32c,generation,updated),nextPageToken"
        for blob in self._try(
            prefix,
            lambda: list(
                self._bucket.list_blobs(prefix=prefix, fields=fields, retry=RETRY, timeout=TIMEOUT)
            ),
        ):
            yield _info(blob)

    def folders(self, prefix: str, *, start: str = "") -> Iterator[str]:
        """Yield the names of the folders directly below a prefix, from `start` on."""

        def listed() -> set[str]:
            pages = self._bucket.list_blobs(
                prefix=prefix,
                delimiter="/",
                start_offset=f"{prefix}{start}" if start else None,
                fields="prefixes,nextPageToken",
                retry=RETRY,
                timeout=TIMEOUT,
            )
            for _ in pages:  # the folders are known once all pages were read
                continue
            return set(pages.prefixes)

        found = self._try(prefix, listed)
        yield from sorted(name.removeprefix(prefix).rstrip("/") for name in found)

    def delete(self, path: str, *, if_generation: int | None = None) -> None:
        """Remove an object, if there is one."""
        self._pace.wait(path)
        blob = self._bucket.blob(path)
        wanted = {} if if_generation is None else {"if_generation_match": if_generation}
        try:
            self._try(path, lambda: blob.delete(retry=RETRY, timeout=TIMEOUT, **wanted))
        except NotFoundError:
            return
        except PreconditionError:
            if self.stat(path) is None:
                return
            raise
        self._pace.wrote(path)

    def _generation(self, path: str) -> int:
        info = self.stat(path)
        if info is None:
            raise NotFoundError(f"no object `{path}` in {self.url}")
        return info.generation

    def _try(self, path: str, call: Callable[[], T]) -> T:
        def translated() -> T:
            return call_storage(f"{self.url}/{path}", call)

        if not self._denied_seconds:
            return translated()
        return while_denied(translated, self._denied_seconds)


def _unchanged(call: Callable[[], T], *, then: str) -> T:
    """Make a call again, at most TRIES times in all, if its bytes change on the way."""
    for _ in range(TRIES - 1):
        try:
            return call()
        except ChangedError as error:
            log.warning("%s; %s", error, then)
    return call()


def _info(blob: Any) -> ObjectInfo:
    return ObjectInfo(
        path=blob.name,
        size=int(blob.size),
        crc32c=blob.crc32c,
        generation=int(blob.generation),
        updated=blob.updated,
    )
