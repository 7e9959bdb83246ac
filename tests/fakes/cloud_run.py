"""Cloud Run Jobs: the Admin API v2 over REST, and the v1 calls of `gcloud run jobs execute`.

`run_job` starts the job's command as processes with Cloud Run's environment, retries and timeouts
(`mmm.local.tasks`). The answers for failed and cancelled executions follow the documentation; they
were not compared with the real service.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mmm.local.tasks import LocalExecution, suffix
from tests.fakes import cloud_run_views as views

JOB = r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/jobs/(?P<job>[^/:]+)"
V1 = r"/apis/run\.googleapis\.com/v1/namespaces/(?P<project>[^/]+)"


@dataclass(kw_only=True)
class Job:
    """A deployed job, with the command of its container; without one, executions stay pending."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    max_retries: int = 1
    timeout: float = 600.0
    grace: float = 10.0
    log_dir: Path | None = None


@dataclass(kw_only=True)
class Quotas:
    """Limits of a region, beyond which the service answers 429; None: no limit.

    `running` counts executions that have not ended; `runs_a_minute` counts calls of `:run`. An
    execution that ended `kept_seconds` ago is no longer found.
    """

    running: int | None = None
    runs_a_minute: float | None = None
    kept_seconds: float | None = None


class RefusedError(Exception):
    """An error that the API answers with."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class FakeCloudRun:
    """The service. `calls` has every request that reached it, `refused` counts those beyond quotas.

    `start_execution` makes an execution of its arguments.
    """

    def __init__(
        self,
        quotas: Quotas | None = None,
        start_execution: Callable[..., LocalExecution] = LocalExecution,
    ) -> None:
        self.quotas = quotas or Quotas()
        self.refused = 0
        self._start_execution = start_execution
        self._recent: deque[float] = deque()
        self.jobs: dict[str, Job] = {}
        self.executions: dict[str, LocalExecution] = {}
        self.calls: list[tuple[str, str]] = []
        self._lock = threading.Lock()
        service = self

        class Handler(_Handler):
            run = service

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop the server and every process that it started."""
        self._server.shutdown()
        self._server.server_close()
        for execution in self.executions.values():
            execution.grace = 0.2
            execution.cancel()
        for execution in self.executions.values():
            if execution.command:
                execution.done.wait(10)

    def deploy(self, job: Job) -> None:
        self.jobs[job.name] = job

    def of_run(self, run_id: str) -> list[LocalExecution]:
        """Executions that were started for a run."""
        return [e for e in self.executions.values() if e.env.get("MMM_RUN_ID") == run_id]

    # shared by the two APIs

    def run_job(
        self,
        parent: str,
        name: str,
        overrides: Mapping[str, Any],
        task_count: int | None,
        timeout: float | None,
    ) -> LocalExecution:
        job = self.jobs.get(name)
        if job is None:
            raise RefusedError(404, f"Resource '{name}' of kind 'JOB' does not exist.")
        self._check_quotas()
        containers = overrides.get("containerOverrides", [])
        args: list[str] = []
        env: dict[str, str] = {}
        for container in containers:
            if container.get("name") not in (None, "", "job"):
                raise RefusedError(400, f"There is no container named '{container['name']}'.")
            args += container.get("args", [])
            env |= {entry["name"]: entry.get("value", "") for entry in container.get("env", [])}
        full = f"{parent}/jobs/{name}/executions/{name}-"
        while (unused := f"{full}{suffix()}") in self.executions:
            continue
        execution = self._start_execution(
            name=unused,
            command=[*job.command, *args],
            env=env,
            base_env={**_bare_environment(), **job.env, "MMM_MAX_RETRIES": str(job.max_retries)},
            task_count=task_count or 1,
            max_retries=job.max_retries,
            timeout=timeout or job.timeout,
            grace=job.grace,
            log_dir=job.log_dir,
            job=name,
        )
        with self._lock:
            self.executions[execution.name] = execution
        if job.command:
            execution.start()
        return execution

    def _check_quotas(self) -> None:
        with self._lock:
            at, running = time.monotonic(), 0
            while self._recent and at - self._recent[0] > 60:
                self._recent.popleft()
            if self.quotas.running is not None:
                running = sum(not one.done.is_set() for one in self.executions.values())
            for count, most, what in (
                (running, self.quotas.running, "running executions per region"),
                (len(self._recent), self.quotas.runs_a_minute, "run requests per minute"),
            ):
                if most is not None and count >= most:
                    self.refused += 1
                    raise RefusedError(429, f"Quota exceeded for quota metric '{what}'.")
            self._recent.append(at)

    def execution(self, name: str) -> LocalExecution:
        for full, execution in list(self.executions.items()):
            if (full == name or execution.short_name == name) and self.is_kept(execution):
                return execution
        raise RefusedError(404, f"Resource '{name}' of kind 'EXECUTION' does not exist.")

    def is_kept(self, execution: LocalExecution) -> bool:
        """Return whether the service still knows an execution."""
        ended, kept = execution.ended_at, self.quotas.kept_seconds
        if ended is None or kept is None:
            return True
        return (datetime.now(UTC) - ended).total_seconds() < kept

    def vanish(self, name: str) -> None:
        """Forget an execution, as the service does with old ones."""
        with self._lock:
            del self.executions[name]


@contextmanager
def running(
    quotas: Quotas | None = None,
    start_execution: Callable[..., LocalExecution] = LocalExecution,
) -> Iterator[FakeCloudRun]:
    service = FakeCloudRun(quotas, start_execution)
    service.start()
    try:
        yield service
    finally:
        service.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


class _Handler(BaseHTTPRequestHandler):
    run: FakeCloudRun
    disable_nagle_algorithm = True  # headers and body are two writes
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        return

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        self.run.calls.append((self.command, url.path))
        try:
            given = json.loads(body) if body.strip() else {}
            code, answer = 200, self._route(url.path, parse_qs(url.query), given)
        except RefusedError as refused:
            status = HTTPStatus(refused.code).name
            code = refused.code
            answer = {"error": {"code": code, "message": str(refused), "status": status}}
        data = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _route(self, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Any:
        for verb, pattern, handler in _ROUTES:
            if verb == self.command and (match := re.fullmatch(pattern, path)):
                return handler(self.run, match, query, body)
        raise RefusedError(404, f"The requested URL {path} was not found on this server.")


def _v2_run(run: FakeCloudRun, match: re.Match[str], _: Any, body: dict[str, Any]) -> Any:
    overrides = body.get("overrides", {})
    timeout = float(overrides["timeout"].rstrip("s")) if "timeout" in overrides else None
    parent = f"projects/{match['project']}/locations/{match['location']}"
    count = overrides.get("taskCount")
    execution = run.run_job(parent, match["job"], overrides, int(count) if count else None, timeout)
    return views.v2_operation(f"{parent}/operations/{execution.short_name}", execution, done=False)


def _v2_operation(run: FakeCloudRun, match: re.Match[str], _: Any, __: Any) -> Any:
    return views.v2_operation(match["name"], run.execution(match["execution"]))


def _v2_list(run: FakeCloudRun, match: re.Match[str], query: Any, _: Any) -> Any:
    parent = match["parent"]
    if match["job"] not in run.jobs:
        raise RefusedError(404, f"Resource '{match['job']}' of kind 'JOB' does not exist.")
    with run._lock:
        known = [(name, e) for name, e in run.executions.items() if run.is_kept(e)]
    mine = [e for name, e in known if name.startswith(f"{parent}/")]
    start = int(query.get("pageToken", ["0"])[0])
    size = min(int(query.get("pageSize", ["100"])[0]), 100)
    page = list(reversed(mine))[start : start + size]
    more = {"nextPageToken": str(start + size)} if start + size < len(mine) else {}
    return {"executions": [views.v2_execution(execution) for execution in page], **more}


def _v2_get(run: FakeCloudRun, match: re.Match[str], _: Any, __: Any) -> Any:
    return views.v2_execution(run.execution(match["name"]))


def _v2_cancel(run: FakeCloudRun, match: re.Match[str], _: Any, __: Any) -> Any:
    execution = run.execution(match["name"])
    if execution.done.is_set():
        raise RefusedError(400, f"Execution '{execution.short_name}' is not running.")
    execution.cancel()
    parent = match["name"].partition("/jobs/")[0]
    return views.v2_operation(f"{parent}/operations/{execution.short_name}", execution, done=False)


def _v2_tasks(run: FakeCloudRun, match: re.Match[str], _: Any, __: Any) -> Any:
    execution = run.execution(match["name"])
    return {"tasks": [views.v2_task(execution, task) for task in execution.tasks]}


def _v1_job(run: FakeCloudRun, match: re.Match[str], _: Any, __: Any) -> Any:
    if match["job"] not in run.jobs:
        raise RefusedError(404, f"Job '{match['job']}' not found")
    mine = [e for e in run.executions.values() if e.job == match["job"]]
    return views.v1_job(match["project"], match["job"], mine[-1] if mine else None)


def _v1_run(run: FakeCloudRun, match: re.Match[str], _: Any, body: dict[str, Any]) -> Any:
    overrides = body.get("overrides", {})
    execution = run.run_job(
        f"projects/{match['project']}/locations/region",
        match["job"],
        overrides,
        overrides.get("taskCount"),
        overrides.get("timeoutSeconds"),
    )
    return views.v1_execution(match["project"], execution)


def _v1_get(run: FakeCloudRun, match: re.Match[str], _: Any, __: Any) -> Any:
    return views.v1_execution(match["project"], run.execution(match["execution"]))


def _v1_list(run: FakeCloudRun, match: re.Match[str], _: Any, __: Any) -> Any:
    items = [views.v1_execution(match["project"], e) for e in run.executions.values()]
    return {"apiVersion": "run.googleapis.com/v1", "kind": "ExecutionList", "items": items}


def _v1_cancel(run: FakeCloudRun, match: re.Match[str], _: Any, __: Any) -> Any:
    execution = run.execution(match["execution"])
    execution.cancel()
    return views.v1_execution(match["project"], execution)


_EXECUTION = rf"/v2/(?P<name>{JOB}/executions/[^/:]+)"
_ROUTES: list[tuple[str, str, Callable[[FakeCloudRun, re.Match[str], Any, Any], Any]]] = [
    ("POST", rf"/v2/{JOB}:run", _v2_run),
    (
        "GET",
        r"/v2/(?P<name>projects/[^/]+/locations/[^/]+/operations/(?P<execution>.+))",
        _v2_operation,
    ),
    ("GET", rf"/v2/(?P<parent>{JOB})/executions", _v2_list),
    ("GET", _EXECUTION, _v2_get),
    ("POST", rf"{_EXECUTION}:cancel", _v2_cancel),
    ("GET", rf"{_EXECUTION}/tasks", _v2_tasks),
    ("GET", rf"{V1}/jobs/(?P<job>[^/:]+)", _v1_job),
    ("POST", rf"{V1}/jobs/(?P<job>[^/:]+):run", _v1_run),
    ("GET", rf"{V1}/executions", _v1_list),
    ("GET", rf"{V1}/executions/(?P<execution>[^/:]+)", _v1_get),
    ("POST", rf"{V1}/executions/(?P<execution>[^/:]+):cancel", _v1_cancel),
]


def _bare_environment() -> dict[str, str]:
    """Return a container's environment, so that no variable of the test leaks into the job."""
    keep = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "R_LIBS", "RETICULATE_PYTHON")
    return {name: os.environ[name] for name in keep if name in os.environ}
