"""A whole cloud on this machine: topics, bucket, function, job, warehouse."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from google.api_core import exceptions as google_errors
from google.cloud import pubsub_v1
from google.pubsub_v1 import ReceivedMessage

from contract.run import Status, read_status
from contract.stores import Store, open_store
from job.runtime.settings import RSide
from tests.fakes import cloud_run, eventarc, function, gcs, late_iam, pubsub, pubsub_limits
from tests.fakes.cloud_run import FakeCloudRun, Job, Quotas
from tests.fakes.function import Function
from tests.fakes.gcs import FakeGCS
from tests.fakes.late_iam import Gate, LateAccess
from tests.fakes.pubsub import Emulator

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "demo-proj"
REGION = "europe-west1"
JOB_NAME = "mmm-trainer"
BUCKET = "mmm-e2e"
COMMAND = [sys.executable, "-m", "job"]
TERMINAL = ("SUCCEEDED", "HELD", "SKIPPED", "DUPLICATE", "FAILED", "CANCELLED", "REJECTED")


def topic(name: str) -> str:
    return f"projects/{PROJECT}/topics/{name}"


def subscription(name: str) -> str:
    return f"projects/{PROJECT}/subscriptions/{name}"


@dataclass(frozen=True, kw_only=True)
class Strictness:
    """How strict the stand-ins are beyond what they always refuse.

    Attributes:
        denied_seconds: for how long each service answers 403 to function and job after their first
            call; 0: not at all.
        ack_deadline: seconds until a delivery that is at work is delivered again.
        attempts: deliveries until a message is a dead letter.
        kept_seconds: for how long Cloud Run knows an execution after its end; None: for good.
        reconcile_seconds: how often reconcile is called; 0: never.
    """

    denied_seconds: float = 0.0
    ack_deadline: int = 60
    attempts: int = 5
    kept_seconds: float | None = None
    reconcile_seconds: float = 0.0

    @classmethod
    def from_environment(cls) -> Self:
        """Return the strict mode if LATE_IAM_SECONDS is set (`make test-strict`)."""
        seconds = float(os.environ.get("LATE_IAM_SECONDS", "0"))
        if not seconds:
            return cls()
        return cls(
            denied_seconds=seconds,
            ack_deadline=10,
            attempts=100,  # the emulator keeps no back-off of minutes
            kept_seconds=30.0,
            reconcile_seconds=5.0,
        )


@dataclass
class Cloud:
    """Everything that is up; events are pulled into `events` as they come.

    `gates` deny function and job access for a while, if the stand-ins are strict.
    """

    storage: FakeGCS
    emulator: Emulator
    run: FakeCloudRun
    function: Function
    store: Store
    publisher: Any
    subscriber: Any
    logs: Path
    relay: eventarc.Relay
    gates: Mapping[str, Gate]

    def __post_init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def publish(self, data: object, *, to: str = "mmm-requests", **attributes: str) -> str:
        """Publish a message; returns its id."""
        raw = data if isinstance(data, bytes) else json.dumps(data).encode()
        return str(self.publisher.publish(topic(to), raw, **attributes).result(timeout=30))

    def put(self, path: str, data: str | bytes | dict[str, Any]) -> str:
        """Write an object; returns its address."""
        raw = json.dumps(data) if isinstance(data, dict) else data
        self.store.write(path, raw.encode() if isinstance(raw, str) else raw)
        return f"gs://{BUCKET}/{path}"

    def pull(self) -> None:
        """Take the events that have arrived."""
        found = self.waiting("mmm-events")
        for received in found:
            event = json.loads(received.message.data)
            assert received.message.attributes["ce-id"] == event["id"]
            self.events.append(event)
        if found:
            self.subscriber.acknowledge(
                subscription=subscription("mmm-events"),
                ack_ids=[received.ack_id for received in found],
            )

    def waiting(self, name: str) -> list[ReceivedMessage]:
        """Return messages of a subscription; empty if none arrives for a while."""
        try:
            answer = self.subscriber.pull(
                subscription=subscription(name), max_messages=50, timeout=4
            )
        except google_errors.DeadlineExceeded:
            return []
        return list(answer.received_messages)

    def wait_for_event(self, *, timeout: float = 240.0, **wanted: object) -> dict[str, Any]:
        """The first event whose data has these values."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for event in self.events:
                if all(event["data"].get(key) == value for key, value in wanted.items()):
                    return event
            self.pull()
        raise AssertionError(f"no event with {wanted} in {timeout} s\n{self.tail()}")

    def wait_for_run_of(self, message_id: str, *, timeout: float = 180.0) -> str:
        """The run id that the function gave a message."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for line in self.function.lines():
                labels = json.loads(line).get("logging.googleapis.com/labels", {})
                if labels.get("message_id") == message_id and "run_id" in labels:
                    return str(labels["run_id"])
            time.sleep(0.1)
        raise AssertionError(f"message {message_id} gave no run\n{self.tail()}")

    def status(self, run_id: str) -> Status:
        status = read_status(self.store, run_id)
        assert status is not None
        return status

    def log_of(self, run_id: str) -> list[dict[str, Any]]:
        """The job's log lines of a run; every line must be JSON."""
        [execution, *_] = self.run.of_run(run_id) or list(self.run.executions.values())[-1:]
        lines: list[dict[str, Any]] = []
        for file in sorted(self.logs.glob(f"{execution.short_name}-*.log")):
            lines += [json.loads(line) for line in file.read_text().splitlines()]
        return lines

    def tail(self) -> str:
        """The ends of all logs, for a failing test."""
        files = [self.function.log, *sorted(self.logs.glob("*.log"))]
        parts = [
            f"--- {file.name}\n" + "\n".join(file.read_text().splitlines()[-15:]) for file in files
        ]
        return "\n".join(parts)


@contextmanager
def running(
    folder: Path, job_env: dict[str, str], *, max_retries: int = 1, strict: Strictness | None = None
) -> Iterator[Cloud]:
    """Start everything, wire it, and stop it again."""
    strict = strict or Strictness()
    for reason in (gcs.missing(), pubsub.missing()):
        if reason:
            pytest.skip(reason)
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        storage = stack.enter_context(gcs.running())
        emulator = stack.enter_context(pubsub.running())
        service = stack.enter_context(cloud_run.running(Quotas(kept_seconds=strict.kept_seconds)))
        patch.setenv("STORAGE_EMULATOR_HOST", storage.url)
        topics = stack.enter_context(pubsub_limits.limited(emulator.host))
        patch.setenv("PUBSUB_EMULATOR_HOST", topics)
        patch.setenv("MMM_PROJECT", PROJECT)
        storage.create_bucket(BUCKET)
        common = {
            "MMM_BUCKET": f"gs://{BUCKET}",
            "MMM_EVENTS_TOPIC": topic("mmm-events"),
            "MMM_PROJECT": PROJECT,
        }
        gates: dict[str, Gate] = {}

        def behind(who: str, permission: str, address: str) -> str:
            """Return the address of a service for the function or the job."""
            if not strict.denied_seconds:
                return address
            gate = gates[f"{who}: {permission}"] = Gate(permission, strict.denied_seconds)
            if permission == late_iam.PUBLISH:
                return stack.enter_context(late_iam.grpc_behind(address, gate))
            return stack.enter_context(LateAccess(address, gate).running()).url

        def services(who: str) -> dict[str, str]:
            return {
                "STORAGE_EMULATOR_HOST": behind(who, late_iam.STORAGE, storage.url),
                "PUBSUB_EMULATOR_HOST": behind(who, late_iam.PUBLISH, topics),
            }

        logs = folder / "job-logs"
        service.deploy(
            Job(
                name=JOB_NAME,
                command=COMMAND,
                env={
                    **common,
                    **services("job"),
                    "PYTHONPATH": str(ROOT),
                    "RETICULATE_PYTHON": str(RSide.read().nevergrad_python),
                    **job_env,
                },
                max_retries=max_retries,
                log_dir=logs,
            )
        )
        source, log = function.unpack(folder), folder / "function.log"
        function_env = {
            **common,
            **services("function"),
            "MMM_JOB": f"projects/{PROJECT}/locations/{REGION}/jobs/{JOB_NAME}",
            "MMM_RUN_ENDPOINT": behind("function", late_iam.RUN, service.url),
        }
        served = stack.enter_context(function.running(source, function_env, log=log))
        if strict.reconcile_seconds:
            passes = stack.enter_context(
                function.running(source, function_env, log=log, target="reconcile")
            )
            stack.enter_context(called_every(strict.reconcile_seconds, passes.url))
        relay = stack.enter_context(eventarc.Relay(served.url, topic("mmm-requests")).running())
        publisher = pubsub_v1.PublisherClient()
        subscriber = stack.enter_context(pubsub_v1.SubscriberClient())
        stack.callback(publisher.transport.close)
        stack.callback(publisher.stop)
        _wire(publisher, subscriber, relay.url, served.url, strict)
        yield Cloud(
            storage=storage,
            emulator=emulator,
            run=service,
            function=served,
            store=open_store(f"gs://{BUCKET}"),
            publisher=publisher,
            subscriber=subscriber,
            logs=logs,
            relay=relay,
            gates=gates,
        )


@contextmanager
def called_every(seconds: float, url: str) -> Iterator[None]:
    """Call an address again and again, as Cloud Scheduler does, whatever it answers."""
    stopped = threading.Event()

    def call() -> None:
        while not stopped.wait(seconds):
            eventarc.post(url, b"{}", {"Content-Type": "application/json"})

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(60)


def _wire(
    publisher: Any, subscriber: Any, relay_url: str, function_url: str, strict: Strictness
) -> None:
    """Topics and subscriptions as `infra/` makes them."""
    for name in ("mmm-requests", "mmm-requests-push", "mmm-requests-dead", "mmm-events"):
        publisher.create_topic(name=topic(name))
    endpoints = {
        "mmm-requests": relay_url,  # as Eventarc delivers
        "mmm-requests-push": f"{function_url}{topic('mmm-requests-push')}",  # as a push delivers
    }
    for name, endpoint in endpoints.items():
        subscriber.create_subscription(
            request={
                "name": subscription(name),
                "topic": topic(name),
                "ack_deadline_seconds": strict.ack_deadline,
                "push_config": {"push_endpoint": endpoint},
                "dead_letter_policy": {
                    "dead_letter_topic": topic("mmm-requests-dead"),
                    "max_delivery_attempts": strict.attempts,
                },
            }
        )
    for name in ("mmm-events", "mmm-requests-dead"):
        subscriber.create_subscription(name=subscription(name), topic=topic(name))


def gcloud_missing() -> str | None:
    """Why the gcloud tests cannot run here, None where they can."""
    return None if shutil.which("gcloud") else "gcloud is not installed"


def gcloud_environment(folder: Path, cloud: Cloud) -> dict[str, str]:
    """gcloud pointed at the stand-ins, without credentials and with a configuration of its own."""
    config = folder / "gcloud"
    config.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "CLOUDSDK_CONFIG": str(config),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
        "CLOUDSDK_CORE_PROJECT": PROJECT,
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://{cloud.emulator.host}/",
    }


def gcloud_run_environment(folder: Path, cloud: Cloud) -> dict[str, str]:
    """gcloud puts the region before the host's name; a proxy setting brings that here."""
    return {
        **gcloud_environment(folder, cloud),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN": f"http://run.test:{cloud.run.port}/",
        "CLOUDSDK_PROXY_TYPE": "http_no_tunnel",
        "CLOUDSDK_PROXY_ADDRESS": "127.0.0.1",
        "CLOUDSDK_PROXY_PORT": str(cloud.run.port),
    }
