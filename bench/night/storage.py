"""Serve Cloud Storage in its own process: first its address, at the end of stdin its counts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes import gcs


class Storage:
    """The running process; `counts` ends it."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.night.storage", str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def counts(self) -> dict[str, int]:
        """Stop the service and return how many writes, reads and refusals it had."""
        said, _ = self._process.communicate("")
        counts: dict[str, int] = json.loads(said)
        return counts

    def close(self) -> None:
        """Stop the service, if it still runs."""
        if self._process.poll() is None:
            self._process.communicate("")


@contextmanager
def running(folder: Path) -> Iterator[Storage]:
    """Serve a folder until the block ends."""
    storage = Storage(folder)
    try:
        yield storage
    finally:
        storage.close()


def main() -> None:
    """Serve until stdin ends."""
    with gcs.running(Path(sys.argv[1])) as server:
        server.create_bucket("night")
        print(server.url, flush=True)
        sys.stdin.read()
        limit = server.limit
        counts = {"writes": limit.written, "reads": limit.reads, "refused": limit.refused.total()}
    print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    main()
