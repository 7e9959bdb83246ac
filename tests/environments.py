"""Environments such as the packages ship into: a lock's packages, what is installed on top, no more.

An environment is kept between runs of the tests, by the content of its lock. Who uses one holds its
lock file, so that tests that run at the same time do not change it for each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_IMPORT_ALL = """
import importlib, json, pkgutil, sys, traceback
failures, seen = {}, []
def load(name):
    seen.append(name)
    try:
        module = importlib.import_module(name)
    except Exception:
        failures[name] = traceback.format_exc(limit=-3)
        return
    for found in pkgutil.iter_modules(getattr(module, "__path__", ()), f"{name}."):
        load(found.name)
for name in sys.argv[1:]:
    load(name)
print(json.dumps({"failures": failures, "seen": seen}))
"""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A virtual environment of its own; nothing of this process's environment reaches into it."""

    folder: Path

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def python(self) -> str:
        return str(self.bin / "python")

    def run(self, *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        env = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        env["PATH"] = f"{self.bin}:/usr/bin:/bin"
        return subprocess.run(
            [str(part) for part in command],
            cwd=cwd, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def import_all(self, *packages: str, cwd: Path) -> tuple[set[str], dict[str, str]]:
        """Import every module below the packages; returns their names, and tracebacks of failures."""
        done = self.run(self.python, "-c", _IMPORT_ALL, *packages, cwd=cwd)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout.splitlines()[-1])
        return set(said["seen"]), said["failures"]

    def install(self, *what: str | Path) -> None:
        _uv("pip", "install", "--python", self.python, *what)


@contextmanager
def environment(cache: Path, requirements: Path) -> Iterator[Environment]:
    """The environment of a hashed requirements file, below `cache`; a lock keeps other tests out.

    Raises:
        OSError: the package index does not answer.
    """
    mark = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    made = Environment(folder=cache / mark)
    with (cache / f"{mark}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not Path(made.python).exists():
            _uv("venv", "--python", sys.executable, made.folder)
        _uv("pip", "sync", "--python", made.python, "--require-hashes", requirements)
        yield made


def _uv(*arguments: str | Path) -> None:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        raise OSError("uv is not installed")
    done = subprocess.run(
        [uv, "--quiet", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return
    if "hash" in done.stderr.lower() or "--no-deps" in arguments:
        raise RuntimeError(done.stderr)
    raise OSError(f"the package index does not answer: {done.stderr.strip()[-200:]}")
