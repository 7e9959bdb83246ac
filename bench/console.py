"""Measure the console on 200 markets and 5,000 runs: the first paint, and the answer to a click.

    python -m bench.console [--markets 200] [--runs 5000]

The bucket is a folder with what the runs of a deployment leave: statuses, folders of artifacts,
pointers, the list of ended runs that `reconcile` keeps, and a config for each market. The browser
is Chromium. `lists_read_anew` is a first paint with all rows, after what was read has expired.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median

from app.fresh import FRESH
from contract import layout
from contract.base import canonical_json
from contract.open_runs import Ended
from contract.run import State, Status, now
from contract.stores.folder import FolderStore
from tests.console.browser import Page, running
from tests.console.conftest import Console
from tests.runs import WEEKLY
from tests.unit.app.conftest import outcome

TIMES = 7
EXPIRED = FRESH + 0.5


def fill(store: FolderStore, markets: int, runs: int) -> None:
    """Write the objects of the runs, spread over the markets, the newest one of each current."""
    ended, began = [], now() - timedelta(days=60)
    for number in range(runs):
        market = f"M{number % markets:03d}"
        at = began + timedelta(days=60) * (number / runs)
        run_id = f"{at:%Y%m%dT%H%M%SZ}-{number:08x}"
        reason = "the search is too short: raise `training.iterations`"
        status = Status(
            run_id=run_id, state=State.SUCCEEDED, market=market, revision="r1", created_at=at,
            updated_at=at + timedelta(minutes=6), outcome=outcome(run_id, "REVIEW", reason),
        )  # fmt: skip
        store.write(layout.status(run_id), status.to_json())
        store.write(layout.artifacts("r1", market, run_id, "manifest.json"), b"{}")
        store.write(layout.current("r1", market), canonical_json({"run_id": run_id}))
        if number < markets:
            config = WEEKLY.replace("market: DE", f"market: {market}")
            store.write(layout.config(market.lower()), config.encode())
        ended.append(run_id)
    store.write(layout.closed_runs(), Ended(runs=ended, older=[]).to_json())


def measured(act: Callable[[], None]) -> float:
    """Return the median seconds of an act."""
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return median(times)


def first_paint(page: Page, url: str) -> float:
    """Load a page anew and wait until its title stands there."""

    def load() -> None:
        page.open("about:blank")
        page.open(url)
        page.wait("!!document.querySelector('h1')")

    return measured(load)


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markets", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-console-") as folder, running() as browser:
        store = FolderStore(Path(folder) / "bucket")
        store.root.mkdir()
        fill(store, given.markets, given.runs)
        console = Console(folder=Path(folder), browser=browser, extra={})
        console.start()
        try:
            page = console.open()
            page.see("One market")
            print(json.dumps(figures(console, page, given.markets), indent=2))
        finally:
            console.close()


def figures(console: Console, page: Page, markets: int) -> dict[str, float]:
    """Return the seconds of each act; the lists are read anew between some of them."""
    url = f"http://localhost:{console.port}/"
    found = {"first_paint": first_paint(page, url)}
    page.see("One market")
    texts = iter(range(10**6))

    def filter_() -> None:
        wanted = f"M{next(texts) % markets:03d}"
        page.type("Filter by name", wanted)
        page.rest()

    def show() -> None:
        page.click(("To decide", "All")[next(texts) % 2], "button")
        page.rest()

    def anew() -> None:
        time.sleep(EXPIRED)
        nonlocal slept
        slept = time.perf_counter()
        page.open(url)
        page.see("One market")

    times, slept = [], 0.0
    for _ in range(3):
        anew()
        times.append(time.perf_counter() - slept)
    found["lists_read_anew"] = median(times)
    found["filter"] = measured(filter_)
    found["show"] = measured(show)
    for path, text in (("run", "Results"), ("compare", "Decide"), ("new-market", "The table")):

        def open_(path: str = path, text: str = text) -> None:
            page.open(f"{url}{path}")
            page.see(text)

        found[f"open_{path}"] = measured(open_)
    return {name: round(seconds, 3) for name, seconds in found.items()}


if __name__ == "__main__":
    main()
