"""A folder as a bucket, with the bucket's preconditions.

An object's generation is its file's modification time in nanoseconds, which
grows with every write. Writes go to a temporary file that is renamed into place, so readers see
whole objects.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from contract.exceptions import (
    ArtifactError,
    DamagedError,
    NotFoundError,
    PreconditionError,
    TransientError,
)
from contract.stores.base import JSON, Blob, ObjectInfo
from contract.stores.checksums import crc32c_of_stream

_TEMPORARY = ".tmp-"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # of a disk or a quota; a retry may help


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
        except OSError as error:
            raise DamagedError(path, f"it cannot be read: {error.strerror}") from None

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
        """Return the metadata of an object; the checksum of one that cannot be read is empty."""
        file, crc32c = self._file(path), ""
        try:
            stats = file.stat()
            with suppress(PermissionError), file.open("rb") as stream:
                stats = os.fstat(stream.fileno())
                crc32c = crc32c_of_stream(stream)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except OSError as error:
            raise DamagedError(path, f"it cannot be read: {error.strerror}") from None
        return ObjectInfo(
            path=path,
            size=stats.st_size,
            crc32c=crc32c,
            generation=stats.st_mtime_ns,
            updated=datetime.fromtimestamp(stats.st_mtime, UTC),
        )

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects below a prefix."""
        start = self._file(prefix.rpartition("/")[0])
        for file in sorted(start.rglob("*")):
            path = file.relative_to(self.root).as_posix()
            if path.startswith(prefix) and not file.name.startswith(".") and file.is_file():
                info = self.stat(path)
                if info is not None:
                    yield info

    def folders(self, prefix: str, *, start: str = "") -> Iterator[str]:
        """Yield the names of the folders directly below a prefix, from `start` on."""
        folder = self._file(prefix)
        try:
            names = [e.name for e in folder.iterdir() if e.name >= start and e.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise DamagedError(prefix, f"it cannot be listed: {error.strerror}") from None
        yield from sorted(names)

    def delete(self, path: str, *, if_generation: int | None = None) -> None:
        """Remove an object, if there is one."""
        file = self._file(path)
        try:
            with self._locked():
                if if_generation is None or self._generation(file) in (0, if_generation):
                    file.unlink(missing_ok=True)
                    return
        except OSError as error:
            raise ArtifactError(
                f"cannot remove `{path}` in {self.root}: {error.strerror}"
            ) from None
        raise PreconditionError(f"`{path}` has changed since generation {if_generation}")

    def _file(self, path: str) -> Path:
        file = (self.root / path).resolve()
        if not file.is_relative_to(self.root):
            raise ArtifactError(f"the path `{path}` is outside the folder {self.root}")
        return file

    def _cannot_write(self, path: str, error: OSError) -> ArtifactError | TransientError:
        said = f"cannot write `{path}` in {self.root}: {error.strerror}"
        return TransientError(said) if error.errno in FULL else ArtifactError(said)

    @contextmanager
    def _temporary(self, path: str) -> Iterator[Path]:
        folder = self._file(path).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=folder)
            os.close(handle)
        except OSError as error:
            raise self._cannot_write(path, error) from None
        temporary = Path(name)
        try:
            yield temporary
        except OSError as error:
            raise self._cannot_write(path, error) from None
        finally:
            temporary.unlink(missing_ok=True)

    def _place(self, temporary: Path, path: str, if_generation: int | None) -> int:
        """Move a written file to its place under the lock that makes check and move one step."""
        file = self._file(path)
        with self._locked():
            old = self._generation(file)
            if if_generation is not None and if_generation != old:
                raise PreconditionError(f"`{path}` has generation {old}, not {if_generation}")
            generation = max(time.time_ns(), old + 1)
            os.utime(temporary, ns=(generation, generation))
            temporary.chmod(0o644)
            temporary.replace(file)
        return generation

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock that makes the look at a generation and the change one step."""
        with (self.root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @staticmethod
    def _generation(file: Path) -> int:
        return file.stat().st_mtime_ns if file.is_file() else 0
