"""Cloud Storage in memory, behind the surface of its client that `contract.stores.gcs` uses.

It keeps generations and preconditions, takes one write a second of each object, and refuses bytes
that do not match their checksum. `Faults` decide what goes wrong with a call, before or after it
took effect. `on_write` sees every change at the moment when it takes effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from google.api_core import exceptions as google_errors
from google.cloud.storage.exceptions import DataCorruption

from contract.stores.checksums import crc32c_of
from tests.simulation.faults import Faults
from tests.simulation.loop import Loop

T = TypeVar("T")
WRITE_SECONDS = 1.0
NAME = "sim"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One generation of an object."""

    data: bytes
    generation: int
    updated: datetime
    crc32c: str


@dataclass
class Server:
    """The service: all objects of one bucket."""

    loop: Loop
    faults: Faults
    on_write: Callable[[str, Stored | None, Stored | None], None] = lambda path, old, new: None
    objects: dict[str, Stored] = field(default_factory=dict)
    _written: dict[str, float] = field(default_factory=dict)
    _generation: int = 1_000_000

    def call(self, verb: str, path: str, effect: Callable[[], T], *, damages: bool = False) -> T:
        """Let a call take effect, unless a fault prevents that; raise what the client raises."""
        return self.faults.call("storage", verb, path, effect, damages=damages)

    def put(self, path: str, data: bytes, expected: int | None) -> Stored:
        """Store an object.

        Raises:
            TooManyRequests: it was written less than a second ago.
            PreconditionFailed: it has another generation than `expected`.
        """
        self._admit(path)
        old = self.objects.get(path)
        self._expect(path, old, expected)
        self._generation += 1
        new = Stored(
            data=data, generation=self._generation, updated=self.loop.time(), crc32c=crc32c_of(data)
        )
        self.on_write(path, old, new)
        self.objects[path] = new
        self._written[path] = self.loop.now
        return new

    def get(self, path: str) -> Stored:
        """Return an object."""
        if path not in self.objects:
            raise google_errors.NotFound(f"no object {path}")
        return self.objects[path]

    def remove(self, path: str, expected: int | None) -> None:
        """Remove an object."""
        old = self.get(path)
        self._admit(path)
        self._expect(path, old, expected)
        self.on_write(path, old, None)
        del self.objects[path]
        self._written[path] = self.loop.now

    def replace(self, path: str, data: bytes) -> None:
        """Replace an object from outside, as an accident or a person does."""
        self._generation += 1
        self.objects[path] = Stored(
            data=data, generation=self._generation, updated=self.loop.time(), crc32c=crc32c_of(data)
        )

    def below(self, prefix: str) -> list[str]:
        """Return the paths that begin with a prefix, in order."""
        return sorted(path for path in self.objects if path.startswith(prefix))

    def _admit(self, path: str) -> None:
        if self.loop.now - self._written.get(path, -WRITE_SECONDS) < WRITE_SECONDS:
            raise google_errors.TooManyRequests(f"{path} exceeded the rate limit")

    @staticmethod
    def _expect(path: str, old: Stored | None, expected: int | None) -> None:
        if expected is not None and expected != (old.generation if old else 0):
            raise google_errors.PreconditionFailed(f"{path} has another generation")


class Bucket:
    """`google.cloud.storage.Bucket` of one process."""

    name = NAME

    def __init__(self, server: Server) -> None:
        self.server = server

    def blob(self, path: str) -> Blob:
        return Blob(self.server, path)

    def get_blob(self, path: str, *, retry: Any, timeout: Any) -> Blob | None:
        def look() -> Blob | None:
            stored = self.server.call("stat", path, lambda: self.server.objects.get(path))
            return Blob(self.server, path, stored) if stored else None

        found: Blob | None = retry(look)()
        return found

    def list_blobs(
        self,
        *,
        prefix: str,
        fields: str,
        retry: Any,
        timeout: Any,
        delimiter: str | None = None,
        start_offset: str | None = None,
    ) -> Pages:
        def listed() -> Pages:
            return self.server.call(
                "list", prefix, lambda: self._pages(prefix, delimiter, start_offset)
            )

        pages: Pages = retry(listed)()
        return pages

    def _pages(self, prefix: str, delimiter: str | None, start: str | None) -> Pages:
        found, folders = [], set()
        for path in self.server.below(prefix):
            if start is not None and path < start:
                continue
            head, cut, _ = path[len(prefix) :].partition("/")
            if delimiter and cut:
                folders.add(f"{prefix}{head}/")
            else:
                found.append(Blob(self.server, path, self.server.objects[path]))
        return Pages(found, folders)


class Pages:
    """The result of a listing."""

    def __init__(self, found: list[Blob], prefixes: set[str]) -> None:
        self._found, self.prefixes = found, prefixes

    def __iter__(self) -> Iterator[Blob]:
        return iter(self._found)


class Blob:
    """`google.cloud.storage.Blob` of one process."""

    def __init__(self, server: Server, path: str, stored: Stored | None = None) -> None:
        self._server, self.name = server, path
        self._take(stored)

    def _take(self, stored: Stored | None) -> None:
        if stored is not None:
            self.size, self.crc32c = len(stored.data), stored.crc32c
            self.generation, self.updated = stored.generation, stored.updated

    def upload_from_string(
        self, data: bytes, *, content_type: str, timeout: Any, if_generation_match: int | None,
        retry: Any, checksum: str,
    ) -> None:  # fmt: skip
        def send() -> Stored:
            return self._server.call(
                "write", self.name,
                lambda: self._server.put(self.name, data, if_generation_match), damages=True,
            )  # fmt: skip

        self._take(retry(send)())

    def upload_from_filename(self, file: str, **options: Any) -> None:
        self.upload_from_string(Path(file).read_bytes(), **options)

    def download_as_bytes(self, *, end: int | None = None, retry: Any, timeout: Any) -> bytes:
        stored = self._server.call(
            "read", self.name, lambda: self._server.get(self.name), damages=True
        )
        self._take(stored)
        return stored.data if end is None else stored.data[: end + 1]

    def download_to_filename(self, file: str, *, retry: Any, timeout: Any, checksum: str) -> None:
        def download() -> Stored:
            return self._server.call(
                "read", self.name, lambda: self._server.get(self.name), damages=True
            )

        Path(file).write_bytes(retry(download)().data)

    def delete(self, *, retry: Any, timeout: Any, if_generation_match: int | None = None) -> None:
        def send() -> None:
            self._server.call(
                "delete", self.name, lambda: self._server.remove(self.name, if_generation_match)
            )

        retry(send)()


def changed_on_the_way(verb: str, path: str) -> Exception:
    """Return what the client raises for bytes that changed on the way."""
    if verb == "read":
        return DataCorruption(None, f"the checksum of {path} differs")  # type: ignore[no-untyped-call]
    return google_errors.BadRequest(f"the CRC32C checksum of {path} differs")
