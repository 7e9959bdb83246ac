"""Upload a run's artifacts in parallel; every checksum is compared with the server's."""

from __future__ import annotations

import base64
import hashlib
import logging
import mimetypes
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from google_crc32c import Checksum
from tenacity import (
    before_sleep_log,
    retry,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from contract.base import Strict
from contract.exceptions import ArtifactError, ServiceError, TransientError
from contract.stores.base import Store
from job.runtime.signals import stop_reason

PARALLEL = 8
ATTEMPTS = 4
log = logging.getLogger("mmm.retries")
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
    store: Store, folder: Path, *, prefix: str, there: Mapping[str, int]
) -> list[Artifact]:
    """Upload every file below `folder`; returns what lies in the store, in order of path.

    They go below `prefix`. `there` has the generations of what lies there and may be replaced;
    nothing else is overwritten.

    Raises:
        ArtifactError: a file is refused, or lies there with another checksum.
        PreconditionError: somebody else wrote a file meanwhile.
        TransientError: the store does not answer.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())

    def one(file: Path) -> Artifact:
        artifact = describe(file, folder)
        path = f"{prefix}{artifact.path}"
        _Upload(store, file, artifact, path, there.get(path, 0)).run()
        return artifact

    pool = ThreadPoolExecutor(max_workers=PARALLEL)
    try:
        return list(pool.map(one, files))
    finally:  # told to stop, it waits for none of them
        pool.shutdown(wait=stop_reason() is None, cancel_futures=True)


@dataclass
class _Upload:
    """One file on its way; `generation` is what it may replace."""

    store: Store
    file: Path
    artifact: Artifact
    path: str
    generation: int

    @retry(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.5, max=8),
        before_sleep=before_sleep_log(log, logging.WARNING),
        reraise=True,
    )
    def run(self) -> None:
        """Upload until the store has what was sent."""
        for _ in range(ATTEMPTS):
            try:
                there = self.store.upload(
                    self.file,
                    self.path,
                    content_type=content_type(self.file),
                    if_generation=self.generation,
                )
            except ServiceError as error:
                raise ArtifactError(f"`{self.path}` cannot be written: {error}") from None
            if (there.size, there.crc32c) == (self.artifact.bytes, self.artifact.crc32c):
                return
            log.warning("`%s` arrived with other bytes than were sent", self.path)
            self.generation = there.generation
        raise ArtifactError(
            f"`{self.path}` lies in {self.store.url} with {there.size} bytes and CRC32C "
            f"{there.crc32c}; it should have {self.artifact.bytes} and {self.artifact.crc32c}"
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
