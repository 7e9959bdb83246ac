"""A folder as a bucket, with the bucket's preconditions.

An object's generation is its file's modification time in nanoseconds, which
grows with every write. Writes go to a temporary file that is renamed into place, so readers see
whole objects.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from contract.exceptions import ArtifactError, NotFoundError, PreconditionError
from contract.stores.base import JSON, Blob, ObjectInfo
from contract.stores.checksums import crc32c_of_stream

_TEMPORARY = ".tmp-"


class FolderStore:
    """Objects are files below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @property
    def url(self) -> str:
        """The folder's address: `file:///folder`."""
        return self.root.as_uri()

    @property
    def write_pause(self) -> float:
        """None: a folder takes any number of writes."""
        return 0.0

    def read(self, path: str, *, limit: int | None = None) -> Blob:
        """Return the bytes and the generation of an object."""
        file = self._file(path)
        try:
            with file.open("rb") as stream:
                generation = os.fstat(stream.fileno()).st_mtime_ns
                return Blob(data=stream.read(-1 if limit is None else limit), generation=generation)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotFoundError(f"no object `{path}` in {self.url}") from None

    def write(
        self, path: str, data: bytes, *, if_generation: int | None = None, content_type: str = JSON
    ) -> int:
        """Write an object; see the protocol for the preconditions."""
        with self._temporary(path) as temporary:
            temporary.write_bytes(data)
            return self._place(temporary, path, if_generation)

    def upload(
        self,
        local: Path,
        path: str,
        *,
        content_type: str | None = None,
        if_generation: int | None = None,
    ) -> ObjectInfo:
        """Copy a file into the store."""
        with self._temporary(path) as temporary:
            shutil.copyfile(local, temporary)
            self._place(temporary, path, if_generation)
        info = self.stat(path)
        if info is None:
            raise ArtifactError(f"`{path}` vanished from {self.url} after it was written")
        return info

    def download(self, path: str, local: Path) -> None:
        """Copy an object to a file."""
        local.parent.mkdir(parents=True, exist_ok=True)
        partial = local.with_name(f"{local.name}.part")
        partial.write_bytes(self.read(path).data)
        partial.replace(local)

    def stat(self, path: str) -> ObjectInfo | None:
        """Return the metadata of an object, None if there is no object."""
        file = self._file(path)
        if not file.is_file():
            return None
        with file.open("rb") as stream:
            stats = os.fstat(stream.fileno())
            crc32c = crc32c_of_stream(stream)
        return ObjectInfo(
            path=path,
            size=stats.st_size,
            crc32c=crc32c,
            generation=stats.st_mtime_ns,
            updated=datetime.fromtimestamp(stats.st_mtime, UTC),
        )

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects below a prefix."""
        start = self._file(prefix) if prefix.endswith("/") else self._file(prefix).parent
        for file in sorted(start.rglob("*")):
            path = file.relative_to(self.root).as_posix()
            if path.startswith(prefix) and not file.name.startswith(".") and file.is_file():
                info = self.stat(path)
                if info is not None:
                    yield info

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the names of the folders directly below a prefix."""
        start = self._file(prefix)
        if start.is_dir():
            yield from sorted(entry.name for entry in start.iterdir() if entry.is_dir())

    def delete(self, path: str) -> None:
        """Remove an object, if there is one."""
        self._file(path).unlink(missing_ok=True)

    def _file(self, path: str) -> Path:
        file = (self.root / path).resolve()
        if not file.is_relative_to(self.root):
            raise ArtifactError(f"the path `{path}` is outside the folder {self.root}")
        return file

    @contextmanager
    def _temporary(self, path: str) -> Iterator[Path]:
        folder = self._file(path).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=folder)
            os.close(handle)
        except OSError as error:
            raise ArtifactError(f"cannot write `{path}` in {self.root}: {error.strerror}") from None
        temporary = Path(name)
        try:
            yield temporary
        except OSError as error:
            raise ArtifactError(f"cannot write `{path}` in {self.root}: {error.strerror}") from None
        finally:
            temporary.unlink(missing_ok=True)

    def _place(self, temporary: Path, path: str, if_generation: int | None) -> int:
        """Move a written file to its place under the lock that makes check and move one step."""
        file = self._file(path)
        with (self.root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            old = file.stat().st_mtime_ns if file.is_file() else 0
            if if_generation is not None and if_generation != old:
                raise PreconditionError(f"`{path}` has generation {old}, not {if_generation}")
            generation = max(time.time_ns(), old + 1)
            os.utime(temporary, ns=(generation, generation))
            temporary.chmod(0o644)
            temporary.replace(file)
        return generation
