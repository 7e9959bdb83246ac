"""The console and `mmm serve` as processes, and a browser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contract.stores.folder import FolderStore
from tests.console.browser import Browser, Page, missing, running
from tests.fakes.ports import free_port, stop, wait_for_port
from tests.runs import ROOT

PICTURES = ROOT / "build" / "console"


@dataclass
class Console:
    """The console of a bucket; `kill` ends it as the end of an instance does."""

    folder: Path
    browser: Browser
    extra: dict[str, str]
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.folder / "bucket")

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.extra,
            "PYTHONPATH": str(ROOT),
            "MMM_BUCKET": str(self.folder / "bucket"),
            "MMM_EVENTS_TOPIC": str(self.folder / "events.jsonl"),
            "MMM_REQUESTS_TOPIC": str(self.folder / "requests.jsonl"),
            "MMM_APP_USER": "ann@example.com",
            "PORT": str(self.port),
        }

    def start(self) -> None:
        """Start the console on its port."""
        self._start("console", "-m", "app")
        wait_for_port(self.port, self.processes["console"])

    def serve(self) -> None:
        """Start the local trigger, which runs the jobs of requests."""
        requests = str(self.folder / "requests.jsonl")
        self._start("serve", "-m", "mmm", "serve", "--requests", requests)

    def _start(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *arguments], cwd=self.folder, env=self.env, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End the console without warning."""
        self.processes["console"].kill()
        self.processes["console"].wait()

    def open(self, path: str = "", *, width: int = 1280) -> Page:
        """Open a page as a new person."""
        page = self.browser.page(width=width)
        page.open(f"http://localhost:{self.port}/{path}")
        return page

    def close(self) -> None:
        for process in self.processes.values():
            stop(process, timeout=20)


Make = Callable[..., Console]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if reason := missing():
        pytest.skip(reason)
    with running() as made:
        yield made


@pytest.fixture
def make_console(browser: Browser, tmp_path: Path) -> Iterator[Make]:
    """Makes the console of a new bucket, and starts it."""
    with ExitStack() as stack:

        def make(**extra: str) -> Console:
            (tmp_path / "bucket").mkdir()
            console = Console(folder=tmp_path, browser=browser, extra=extra)
            stack.callback(console.close)
            console.start()
            return console

        yield make


def picture(page: Page, name: str) -> None:
    """Keep a picture for docs/console.md."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.rest()
    page.picture(PICTURES / f"{name}.png")
