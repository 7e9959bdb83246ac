"""Upload a run's artifacts in parallel and compare every checksum with the server's."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from contract.base import Strict
from contract.exceptions import ArtifactError, DeniedError, ServiceError
from contract.stores.base import Store
from contract.stores.checksums import crc32c_of_stream
from job.runtime.signals import shielded

PARALLEL = 8
_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".rds": "application/octet-stream",
    ".yaml": "application/yaml",
    ".log": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
}


class Artifact(Strict):
    """One file of a run; `path` is relative to the run's folder, `crc32c` is base64."""

    path: str
    bytes: int
    crc32c: str
    sha256: str


def describe(file: Path, root: Path) -> Artifact:
    """Return size and checksums of a local file."""
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        crc32c = crc32c_of_stream(stream)
    return Artifact(
        path=file.relative_to(root).as_posix(),
        bytes=file.stat().st_size,
        crc32c=crc32c,
        sha256=sha256,
    )


def upload_all(
    store: Store, folder: Path, *, prefix: str, there: Mapping[str, int]
) -> list[Artifact]:
    """Upload every file below `folder`; return the stored artifacts, in order of path.

    It returns or raises only when no upload is in flight. After a signal, a store that hangs is
    left to the forced exit (`job.runtime.signals`), and the run to a retry or to `reconcile`.

    Args:
        store: The bucket; it retries failed calls itself.
        folder: The files.
        prefix: Where the files are stored.
        there: The generations of the objects that may be replaced; no other object is.

    Raises:
        ArtifactError: a file is refused, or is stored with another checksum.
        PreconditionError: another writer wrote a file at the same time.
        TransientError: the store does not answer.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())

    def one(file: Path) -> Artifact:
        artifact = describe(file, folder)
        path = f"{prefix}{artifact.path}"
        _upload(store, file, artifact, path, there.get(path, 0))
        return artifact

    pool = ThreadPoolExecutor(max_workers=PARALLEL)
    try:
        return list(pool.map(one, files))
    finally:  # nothing may be written after the run's end, so wait for the uploads that have begun
        with shielded():
            pool.shutdown(wait=True, cancel_futures=True)


def _upload(store: Store, file: Path, artifact: Artifact, path: str, generation: int) -> None:
    try:
        stored = store.upload(file, path, content_type=content_type(file), if_generation=generation)
    except DeniedError as error:
        raise DeniedError(f"`{path}` cannot be written: {error}") from None
    except ServiceError as error:
        raise ArtifactError(f"`{path}` cannot be written: {error}") from None
    if (stored.size, stored.crc32c) != (artifact.bytes, artifact.crc32c):
        raise ArtifactError(
            f"`{path}` is in {store.url} with {stored.size} bytes and CRC32C {stored.crc32c}; "
            f"it should have {artifact.bytes} and {artifact.crc32c}"
        )


def content_type(file: Path) -> str:
    """Return the media type of a file by its name."""
    known = _TYPES.get(file.suffix.lower())
    return known or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
