"""Stand-ins that tests share, and the order of the tests.

Each worker of pytest-xdist starts a stand-in of its own, on a free port, when a test asks for it.
"""

from __future__ import annotations

import logging
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog

from contract.stores import Store, open_store
from job.runtime import signals
from tests.fakes import cloud_run, gcs, pubsub, snowflake
from tests.fakes.cloud_run import FakeCloudRun
from tests.fakes.gcs import FakeGCS
from tests.fakes.pubsub import Emulator
from tests.fakes.snowflake import FakeSnowflake

TESTS = Path(__file__).parent
SPREAD = ("faults/", "jobs/")  # long tests that share nothing
# Tests share the cores, so a single example may take long.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


for _signal in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    # `nohup` and `&` leave signals ignored, and the jobs that tests start would ignore them too.
    if signal.getsignal(_signal) is signal.SIG_IGN:
        usual = signal.default_int_handler if _signal is signal.SIGINT else signal.SIG_DFL
        signal.signal(_signal, usual)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first, and keep tests that share fixtures on one worker.

    The tests of a file stay together, as do all that use the Snowflake stand-in, which is slow to
    start. Each test in SPREAD goes to any worker, unless its file sets `xdist_group`.
    """
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        path = item.path.relative_to(TESTS).as_posix()
        if "snowflake_process" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("snowflake"))
        elif not path.startswith(SPREAD):
            item.add_marker(pytest.mark.xdist_group(path))


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """Undo what a test configures: its stderr is closed when the next test logs."""
    own = logging.getLogger("mmm")
    before = own.handlers[:], own.level, own.propagate
    yield
    own.handlers[:], own.level, own.propagate = before
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler).__module__.startswith("job."):
            root.removeHandler(handler)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture(autouse=True)
def no_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the signals of other tests: after one, a command would end the tests' process.

    The simulation has signals of its own.
    """
    if type(signals._stop) is signals._Stop:
        monkeypatch.setattr(signals, "_stop", signals._Stop())


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[FakeGCS]:
    """A Cloud Storage stand-in."""
    if reason := gcs.missing():
        pytest.skip(reason)
    with gcs.running() as server:
        yield server


@pytest.fixture
def bucket(gcs_server: FakeGCS, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a new bucket, to which the real client is pointed."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_server.url)
    monkeypatch.setenv("MMM_PROJECT", "demo-proj")
    name = f"b-{uuid.uuid4().hex[:12]}"
    gcs_server.create_bucket(name)
    return f"gs://{name}"


@pytest.fixture
def gcs_store(bucket: str) -> Store:
    """A new bucket through the real client."""
    return open_store(bucket)


@pytest.fixture
def run_service() -> Iterator[FakeCloudRun]:
    """A Cloud Run stand-in without jobs."""
    with cloud_run.running() as service:
        yield service


@pytest.fixture(scope="session")
def pubsub_emulator() -> Iterator[Emulator]:
    """The Pub/Sub emulator."""
    if reason := pubsub.missing():
        pytest.skip(reason)
    with pubsub.running() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def snowflake_process() -> Iterator[FakeSnowflake]:
    """A Snowflake stand-in."""
    with snowflake.running() as server:
        yield server


@pytest.fixture
def snowflake_server(snowflake_process: FakeSnowflake) -> Iterator[FakeSnowflake]:
    """The Snowflake stand-in without users, faults or memories of other tests."""
    snowflake_process.reset()
    yield snowflake_process
    snowflake_process.reset()
