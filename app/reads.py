"""What pages show, read from the bucket; what has not changed is not read again.

Lists have at most MOST entries. One that is a few seconds old is read again behind the page
(`app.fresh`). An action clears them, so its author sees its effect at once.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app.deployment import here
from app.fresh import Fresh
from contract import layout, runid
from contract.exceptions import ConfigError, MMMError, NotFoundError
from contract.run import Status, read_status
from job.outputs.ledger import Decision, decisions
from mmm import artifacts, logs, runs
from mmm import configs as stored
from mmm.budget import Curves, read_curves
from mmm.cloud.schedules import NextRuns, Schedules
from mmm.cloud.schedules import next_runs as coming
from mmm.compare.compared import compare_runs
from mmm.compare.document import Compared
from mmm.configs import StoredConfig
from mmm.propose import browse, places
from mmm.propose.browse import Listing
from mmm.propose.table import Table, read_table

MOST = 50
PATIENCE = 0.5  # seconds for the schedules
_behind = ThreadPoolExecutor(2, "schedules")
_known: dict[str, list[StoredConfig]] = {}
_statuses = runs.Statuses()


def markets() -> list[runs.MarketState]:
    """Return every market with its current run and what waits."""
    return _markets.get(bucket_url())


def configs() -> list[StoredConfig]:
    """Return the configs of the bucket."""
    return _configs.get(bucket_url())


def newest() -> list[runs.Run]:
    """Return the newest runs, at most MOST."""
    return _newest.get(bucket_url())


def finished(market: str, revision: str) -> list[runs.Run]:
    """Return the newest runs of a market that have artifacts, at most MOST."""
    return _finished.get((bucket_url(), market, revision))


def _read_configs(url: str) -> list[StoredConfig]:
    _known[url] = stored.stored_configs(here().store, _known.get(url, ()))
    return _known[url]


def next_runs() -> NextRuns:
    """Return when each market runs next; the service is not waited for longer than PATIENCE."""
    at = here()
    try:
        known = _schedules(at.store.url, at.settings.job).result(timeout=PATIENCE)
    except TimeoutError:
        known = Schedules(otherwise="not known yet: reload")
    except MMMError as error:
        said = f"the schedules cannot be read: {error.message}"
        known = Schedules(problems=[said], otherwise="not known")
    return coming(known, configs(), at.store.url)


@st.cache_resource(ttl=60, max_entries=8, show_spinner=False)
def _schedules(url: str, job: str | None) -> Future[Schedules]:
    return _behind.submit(here().schedules)


def run(run_id: str) -> runs.Run:
    """Return a run.

    Raises:
        ConfigError: there is no such run.
    """
    return runs.find(here().store, run_id, revision="r1")


def status(run_id: str) -> Status:
    """Return the status of a run.

    Raises:
        ConfigError: there is no such run.
    """
    found = read_status(here().store, run_id)
    if found is None:
        raise ConfigError(f"there is no run `{run_id}` in {here().store.url}")
    return found


def log(run_id: str, severity: str) -> list[logs.Entry]:
    """Return the last entries of a run's log."""
    return logs.entries(here().store, run_id, severity=severity)[-500:]


def table(source: Mapping[str, Any], sheet: str | None) -> Table:
    """Return a sample of a source; it is read once.

    Raises:
        ConfigError, DataError, ServiceError, TransientError: the source cannot be read.
    """
    return _table(json.dumps(source, sort_keys=True), sheet)


@st.cache_resource(ttl=900, max_entries=20, show_spinner="Reading the table …")
def _table(source: str, sheet: str | None) -> Table:
    return read_table(json.loads(source), sheet=sheet)


@st.cache_data(ttl=300, max_entries=200, show_spinner="Listing the names …")
def names(kind: str, place: tuple[str, ...], contains: str) -> Listing:
    """Return the names of what a place has; at most five minutes old."""
    if kind == "duckdb":
        return Listing(names=list(places.sources_in_path(Path(*place))))
    return browse.inside(kind, place, contains=contains)


def run_of(key: str) -> str | None:
    """Return the run that a request with this key has become, None if none is accepted yet."""
    try:
        return runid.of_key(here().store, layout.key(key))
    except NotFoundError:
        return None


@st.cache_data(max_entries=100, show_spinner="Comparing the runs …")
def compared(url: str, before: str, after: str, *, may_draw: bool) -> Compared:
    """Return the comparison of two runs, which never changes."""
    return compare_runs(here().store, before, after, revision="r1", may_draw=may_draw)


def ledger(revision: str, market: str) -> list[Decision]:
    """Return the decisions about a market's runs, newest first; at most MOST."""
    return list(decisions(here().store, revision, market))[::-1][:MOST]


@st.cache_resource(max_entries=50, show_spinner="Reading the curves …")
def curves(url: str, run_id: str) -> Curves:
    """Return the curves of a finished run, which never change."""
    return read_curves(here().store, run(run_id))


@st.cache_data(max_entries=100, show_spinner=False)
def metrics(url: str, run_id: str) -> dict[str, Any]:
    """Return `metrics.json` of a finished run, which never changes."""
    found: dict[str, Any] = json.loads(artifacts.read(here().store, run(run_id), "metrics.json"))
    return found


@st.cache_data(max_entries=100, show_spinner=False)
def lift_tests(url: str, run_id: str) -> pd.DataFrame:
    """Return the table `lift_tests` of a finished run, which never changes."""
    data = artifacts.read(here().store, run(run_id), "tables/lift_tests.parquet")
    return pd.read_parquet(io.BytesIO(data))


def bucket_url() -> str:
    """Return the bucket's address, which keeps the memories of two buckets apart."""
    return here().store.url


def forget() -> None:
    """Read the lists again, after an action."""
    _markets.clear()
    _configs.clear()
    _newest.clear()
    _finished.clear()


_markets = Fresh[str, list[runs.MarketState]](
    lambda url: runs.markets(here().store, statuses=_statuses)
)
_configs = Fresh(_read_configs)
_newest = Fresh[str, list[runs.Run]](
    lambda url: runs.newest(here().store, limit=MOST, statuses=_statuses)
)
_finished = Fresh[tuple[str, str, str], list[runs.Run]](
    lambda key: runs.finished(here().store, key[1], key[2], limit=MOST, statuses=_statuses)
)
