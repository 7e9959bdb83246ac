"""The interface of a bucket: whole objects, generations, preconditions.

`if_generation=0` writes only a new object; `if_generation=n` replaces only generation n. An object
appears whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Blob:
    """An object's bytes and the generation that they belong to."""

    data: bytes
    generation: int


@dataclass(frozen=True, kw_only=True)
class ObjectInfo:
    """The metadata of an object; `crc32c` is base64 of four big-endian bytes.

    `updated` is by the store's own clock.
    """

    path: str
    size: int
    crc32c: str
    generation: int
    updated: datetime


class Store(Protocol):
    """A bucket. Errors: NotFoundError, PreconditionError, ServiceError, TransientError.

    A folder also raises DamagedError for a file that it may not read.
    """

    @property
    def url(self) -> str:
        """The bucket's address: `gs://bucket` or `file:///folder`."""

    @property
    def write_pause(self) -> float:
        """The seconds between two writes of one object that the bucket asks for."""

    def read(self, path: str, *, limit: int | None = None) -> Blob:
        """Return the newest generation of an object, at most `limit` bytes of it."""

    def write(
        self, path: str, data: bytes, *, if_generation: int | None = None, content_type: str = JSON
    ) -> int:
        """Write a small object; return its generation."""

    def upload(
        self,
        local: Path,
        path: str,
        *,
        content_type: str | None = None,
        if_generation: int | None = None,
    ) -> ObjectInfo:
        """Upload a file; return the stored object's metadata."""

    def download(self, path: str, local: Path) -> None:
        """Download an object to a file, whole or not at all."""

    def stat(self, path: str) -> ObjectInfo | None:
        """Return an object's metadata, None if there is no object."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose path begins with `prefix`, in order of path."""

    def folders(self, prefix: str, *, start: str = "") -> Iterator[str]:
        """Yield the names of the folders directly below a prefix that ends with `/`, in order.

        Names before `start` are left out, and are not listed by the service either.
        """

    def delete(self, path: str, *, if_generation: int | None = None) -> None:
        """Remove an object, or only its given generation; do nothing if there is none."""
