"""Search everything that a run leaves for secrets, in all their encoded forms."""

from __future__ import annotations

import base64
import gzip
import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import psutil
import pyarrow as pa
import pyarrow.parquet as pq


def forms(secret: bytes) -> Iterator[bytes]:
    """Yield the secret unchanged, in base64 at any place of a longer text, in URLs, JSON and hex."""
    yield secret
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + secret)
        inner = encoded[4 if offset else 0 : -4]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")
    yield quote(secret, safe="").encode()
    yield json.dumps(secret.decode("latin-1"))[1:-1].encode()
    yield secret.hex().encode()


class Needles:
    """The secrets that must not be found, by name."""

    def __init__(self, secrets: Mapping[str, bytes]) -> None:
        self._forms = {name: set(forms(secret)) for name, secret in secrets.items()}

    def in_bytes(self, data: bytes) -> set[str]:
        return {n for n, found in self._forms.items() if any(form in data for form in found)}

    def in_file(self, file: Path) -> set[str]:
        """Search a file's name, its bytes and its unpacked content."""
        try:
            data = file.read_bytes()
        except OSError:  # the file was deleted in the meantime
            return set()
        found = self.in_bytes(str(file).encode()) | self.in_bytes(data)
        if data[:2] == b"\x1f\x8b":
            try:
                found |= self.in_bytes(gzip.decompress(data))
            except (EOFError, OSError):  # still being written
                return found
        if data[:4] == data[-4:] == b"PAR1":
            try:
                table = pq.read_table(pa.BufferReader(data))
            except pa.ArrowInvalid:  # still being written
                return found
            text = json.dumps(table.to_pylist(), default=str).encode()
            found |= self.in_bytes(text) | self.in_bytes(repr(table.schema.metadata).encode())
        return found

    def in_folder(self, folder: Path) -> dict[str, set[str]]:
        """Return the files of a folder with the secrets found in them."""
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        found = {str(file.relative_to(folder)): self.in_file(file) for file in files}
        return {name: names for name, names in found.items() if names}


class Watch(threading.Thread):
    """Watch a process's descendants and its temporary folder while it runs."""

    def __init__(self, pid: int, temporary: Path, needles: Needles) -> None:
        super().__init__(daemon=True)
        self._process, self._temporary, self._needles = psutil.Process(pid), temporary, needles
        self._over = threading.Event()
        self._seen: set[tuple[str, int]] = set()
        self.found: dict[str, set[str]] = {}
        self.programs: set[str] = set()

    def run(self) -> None:
        while not self._over.wait(0.1):
            self._look()

    def end(self) -> None:
        self._over.set()
        self.join()

    def _look(self) -> None:
        try:
            own = " ".join(self._process.cmdline())
            self._note("command line of the job", self._needles.in_bytes(own.encode()))
            for child in self._process.children(recursive=True):
                line, variables = " ".join(child.cmdline()), repr(child.environ())
                if line == own:  # the job itself, before it becomes another program
                    continue
                self.programs.add(child.name())
                self._note(f"process {line[:80]}", self._needles.in_bytes(line.encode()))
                self._note(
                    f"environment of {line[:80]}", self._needles.in_bytes(variables.encode())
                )
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            pass
        # Folders may disappear during the search: `os.walk` skips them, `rglob` would raise.
        walked = list(os.walk(self._temporary))
        for file in [Path(folder) / name for folder, _, names in walked for name in names]:
            try:
                mark = (str(file), file.stat().st_mtime_ns)
                fresh = file.is_file() and mark not in self._seen
            except OSError:
                continue
            if fresh:
                self._seen.add(mark)
                self._note(f"temporary {file.name}", self._needles.in_file(file))

    def _note(self, where: str, what: set[str]) -> None:
        if what:
            self.found.setdefault(where, set()).update(what)
