"""The function as the platform serves it: functions-framework runs its unpacked archive."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.ports import free_port, stop, wait_for_port
from trigger import archive


@dataclass
class Function:
    """A served function."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()


def unpack(folder: Path) -> Path:
    """Build the archive and unpack it; return the folder."""
    archive.build(folder / "trigger.zip")
    with zipfile.ZipFile(folder / "trigger.zip") as built:
        built.extractall(folder / "source")
    return folder / "source"


def start(
    source: Path,
    env: Mapping[str, str],
    *,
    log: Path,
    target: str = "on_message",
    python: str = sys.executable,
    port: int | None = None,
) -> Function:
    """Serve a target; the caller stops the process."""
    port = port or free_port()
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [
                python,
                "-m",
                "functions_framework",
                "--target",
                target,
                "--host",
                "127.0.0.1",
                "--source",
                str(source / "main.py"),
                "--port",
                str(port),
            ],
            cwd=source,
            env={**bare, "THREADS": "8", **env},
            stdout=stream,
            stderr=stream,
        )
    try:
        wait_for_port(port, process)
    except BaseException:
        stop(process)
        raise
    return Function(port=port, process=process, log=log)


@contextmanager
def running(source: Path, env: Mapping[str, str], *, log: Path, **more: str) -> Iterator[Function]:
    served = start(source, env, log=log, **more)  # type: ignore[arg-type]
    try:
        yield served
    finally:
        stop(served.process)
