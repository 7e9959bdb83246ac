"""Upload a run's artifacts in parallel; every checksum is compared with the server's."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from google_crc32c import Checksum
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from contract import layout
from contract.base import Strict
from contract.exceptions import ArtifactError, TransientError
from contract.stores.base import Store

PARALLEL = 8
ATTEMPTS = 4
_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".rds": "application/octet-stream",
    ".yaml": "application/yaml",
    ".log": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
}


class Artifact(Strict):
    """One file of a run; `path` is below the run's folder, `crc32c` base64 as servers say it."""

    path: str
    bytes: int
    crc32c: str
    sha256: str


def describe(file: Path, root: Path) -> Artifact:
    """Size and checksums of a local file."""
    crc, sha = Checksum(), hashlib.sha256()  # type: ignore[no-untyped-call]
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            crc.update(chunk)  # type: ignore[no-untyped-call]
            sha.update(chunk)
    return Artifact(
        path=file.relative_to(root).as_posix(),
        bytes=file.stat().st_size,
        crc32c=base64.b64encode(crc.digest()).decode(),  # type: ignore[no-untyped-call]
        sha256=sha.hexdigest(),
    )


def upload_all(
    store: Store, folder: Path, *, revision: str, market: str, run_id: str
) -> list[Artifact]:
    """Upload every file below `folder`; returns what lies in the store, in order of path.

    Raises:
        ArtifactError: a file could not be written, or lies there with another checksum.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())

    def one(file: Path) -> Artifact:
        artifact = describe(file, folder)
        _upload(store, file, artifact, layout.artifacts(revision, market, run_id, artifact.path))
        return artifact

    with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        return list(pool.map(one, files))


@retry(
    retry=retry_if_exception_type((TransientError, ArtifactError)),
    stop=stop_after_attempt(ATTEMPTS),
    wait=wait_random_exponential(multiplier=0.5, max=8),
    reraise=True,
)
def _upload(store: Store, file: Path, artifact: Artifact, path: str) -> None:
    there = store.upload(file, path, content_type=content_type(file))
    if (there.size, there.crc32c) != (artifact.bytes, artifact.crc32c):
        raise ArtifactError(
            f"`{path}` lies in {store.url} with {there.size} bytes and CRC32C {there.crc32c}; "
            f"it should have {artifact.bytes} and {artifact.crc32c}"
        )


def verify(store: Store, artifacts: list[Artifact], *, prefix: str) -> Iterator[str]:
    """What is wrong with a finished run's files in the store, one sentence each."""
    there = {info.path.removeprefix(prefix): info for info in store.list(prefix)}
    for artifact in artifacts:
        info = there.get(artifact.path)
        if info is None:
            yield f"`{artifact.path}` is missing"
        elif (info.size, info.crc32c) != (artifact.bytes, artifact.crc32c):
            yield f"`{artifact.path}` has other bytes than the manifest says"


def content_type(file: Path) -> str:
    """The media type of a file by its name."""
    known = _TYPES.get(file.suffix.lower())
    return known or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
