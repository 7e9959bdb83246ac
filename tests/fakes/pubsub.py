"""Pub/Sub: the emulator of the gcloud SDK, started directly with java."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.ports import free_port, stop, wait_for_port

_SDK_ROOTS = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
    str(Path.home() / "google-cloud-sdk"),
)


@dataclass
class Emulator:
    """A running emulator; set PUBSUB_EMULATOR_HOST to `host`."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


def missing() -> str | None:
    """Return why it cannot run here, None if it can."""
    if shutil.which("java") is None:
        return "the Pub/Sub emulator needs java, which is not installed"
    if _jar() is None:
        return "the Pub/Sub emulator is not installed (gcloud components install pubsub-emulator)"
    return None


def start(port: int | None = None) -> Emulator:
    """Start an emulator; the caller stops its process."""
    port = port or free_port()
    process = subprocess.Popen(
        ["java", "-Xmx256m", "-jar", str(_jar()), "--host=127.0.0.1", f"--port={port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process, timeout=120)
    except BaseException:
        stop(process)
        raise
    return Emulator(port=port, process=process)


@contextmanager
def running() -> Iterator[Emulator]:
    emulator = start()
    try:
        yield emulator
    finally:
        stop(emulator.process)


def _jar() -> Path | None:
    roots = [os.environ.get("CLOUDSDK_ROOT_DIR", ""), *_SDK_ROOTS]
    if gcloud := shutil.which("gcloud"):
        roots.append(str(Path(gcloud).resolve().parent.parent))
    for root in filter(None, roots):
        jars = sorted(Path(root).glob("platform/pubsub-emulator/lib/cloud-pubsub-emulator-*.jar"))
        if jars:
            return jars[-1]
    return None
