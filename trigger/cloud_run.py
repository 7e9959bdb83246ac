"""Launch, find and cancel executions of a Cloud Run job through the Admin API v2."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self, TypeVar

import requests
from google.api_core import exceptions as google_errors
from google.api_core.client_options import ClientOptions
from google.auth import exceptions as auth_errors
from google.auth.credentials import AnonymousCredentials
from google.cloud import run_v2
from google.protobuf.json_format import ParseError

from contract.exceptions import DeniedError, ServiceError
from contract.retries import BRIEF_RETRY
from trigger.execution import Execution, Launch, MaybeStartedError, NotStartedError, Phase

T = TypeVar("T")
LAUNCH_SECONDS = 30.0
READ = {"retry": BRIEF_RETRY, "timeout": 10.0}
_NO_ANSWER = (
    google_errors.GoogleAPIError,
    requests.RequestException,
    OSError,
    ParseError,  # an answer that does not come from Cloud Run
    UnicodeDecodeError,
)
KILLED = "Cloud Run kills a task that needs more memory, in which files in /tmp count"
NOT_STARTED = (google_errors.TooManyRequests, google_errors.Aborted, google_errors.Conflict)


class CloudRunLauncher:
    """A launcher for one job. `connect` makes its clients."""

    def __init__(self, job: str, *, jobs: Any, executions: Any, tasks: Any) -> None:
        self._job = job
        self._jobs, self._executions, self._tasks = jobs, executions, tasks

    @classmethod
    def connect(cls, job: str, *, endpoint: str | None = None) -> Self:
        """Connect with the machine's own credentials, or to a stand-in at `endpoint`."""
        options: dict[str, Any] = {}
        if endpoint:
            options = {
                "transport": "rest",
                "client_options": ClientOptions(api_endpoint=endpoint),
                "credentials": AnonymousCredentials(),  # type: ignore[no-untyped-call]
            }
        try:
            return cls(
                job,
                jobs=run_v2.JobsClient(**options),
                executions=run_v2.ExecutionsClient(**options),
                tasks=run_v2.TasksClient(**options),
            )
        except auth_errors.GoogleAuthError as error:
            raise ServiceError(f"no credentials for Cloud Run (`{job}`): {error}") from None

    def launch(self, launch: Launch) -> str:
        """Call `run_job` once; it has no request id, so only the caller knows if a retry is safe.

        https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs/run
        """
        overrides = run_v2.RunJobRequest.Overrides(
            container_overrides=[
                run_v2.RunJobRequest.Overrides.ContainerOverride(
                    env=[
                        run_v2.EnvVar(name=name, value=value)
                        for name, value in launch.env().items()
                    ]
                )
            ],
            task_count=launch.task_count,
            timeout=launch.timeout,
        )
        request = run_v2.RunJobRequest(name=self._job, overrides=overrides)
        operation = self._call(
            lambda: self._jobs.run_job(request=request, retry=None, timeout=LAUNCH_SECONDS)
        )
        try:
            return str(operation.metadata.name)
        except (AttributeError, TypeError):
            raise MaybeStartedError("the answer of Cloud Run does not name an execution") from None

    def find(self, run_id: str) -> list[Execution]:
        """Return a run's executions. It searches all, because their order is not documented."""
        request = run_v2.ListExecutionsRequest(parent=self._job, page_size=100)
        listed = self._call(
            lambda: [_execution(e) for e in self._executions.list_executions(request, **READ)]
        )
        mine = [execution for execution in listed if execution.run_id == run_id]
        return sorted(mine, key=lambda execution: str(execution.created_at or ""))

    def get(self, name: str) -> Execution | None:
        """Return an execution; if it failed, its reason is that of its first failed task."""
        name = self._full(name)
        try:
            found = self._call(lambda: self._executions.get_execution(name=name, **READ))
        except _GoneError:
            return None
        execution = _execution(found)
        if execution.phase is not Phase.FAILED:
            return execution
        reason = self._task_reason(name) or execution.reason
        return Execution(**{**vars(execution), "reason": reason})

    def cancel(self, name: str) -> None:
        """Ask Cloud Run to stop the execution; its tasks get SIGTERM and 10 s."""
        name = self._full(name)
        try:
            self._call(lambda: self._executions.cancel_execution(name=name, **READ))
        except _GoneError:
            return
        except ServiceError:
            execution = self.get(name)
            if execution is not None and not execution.phase.is_over:
                raise

    def _full(self, name: str) -> str:
        """Return the full name; a task knows only the last part of its execution's name."""
        return name if "/" in name else f"{self._job}/executions/{name}"

    def _task_reason(self, name: str) -> str | None:
        try:
            tasks = self._call(lambda: list(self._tasks.list_tasks(parent=name, **READ)))
        except _GoneError:
            return None
        for task in sorted(tasks, key=lambda task: task.index):
            result = task.last_attempt_result
            if result.exit_code or result.term_signal or result.status.code:
                message = result.status.message or next(
                    (c.message for c in task.conditions if c.message), ""
                )
                how = (
                    f"signal {result.term_signal}"
                    if result.term_signal
                    else f"exit code {result.exit_code}"
                )
                said = f"task {task.index} ended with {how}" + (f": {message}" if message else "")
                return f"{said} ({KILLED})" if _was_killed(result) else said
        return None

    def _call(self, call: Callable[[], T]) -> T:
        """Run a client call and translate its errors."""
        try:
            return call()
        except google_errors.NotFound as error:
            raise _GoneError(f"Cloud Run does not know `{self._job}`: {error.message}") from None
        except NOT_STARTED as error:
            raise NotStartedError(f"Cloud Run is busy (`{self._job}`): {error.message}") from None
        except google_errors.Forbidden as error:
            raise DeniedError(f"Cloud Run refuses `{self._job}`: {error.message}") from None
        except google_errors.ClientError as error:
            if error.code in (408, 499):
                raise MaybeStartedError(f"Cloud Run did not answer: {error.message}") from None
            raise ServiceError(f"Cloud Run refuses `{self._job}`: {error.message}") from None
        except _NO_ANSWER as error:
            raise MaybeStartedError(f"Cloud Run did not answer (`{self._job}`): {error}") from None
        except auth_errors.TransportError as error:
            raise NotStartedError(f"no token for Cloud Run: {error}") from None
        except auth_errors.GoogleAuthError as error:
            raise ServiceError(f"no credentials for Cloud Run: {error}") from None


class _GoneError(ServiceError):
    """Cloud Run does not have this job or execution."""


def _was_killed(result: Any) -> bool:
    """Return whether a task's attempt ended with SIGKILL, as after an OOM kill."""
    return bool(result.term_signal == signal.SIGKILL or result.exit_code == 128 + signal.SIGKILL)


def _execution(found: Any) -> Execution:
    ended = _time(found.completion_time)
    completed = next((c for c in found.conditions if c.type_ == "Completed"), None)
    return Execution(
        name=found.name,
        phase=_phase(found, completed),
        env={
            variable.name: variable.value
            for container in found.template.containers
            for variable in container.env
        },
        created_at=_time(found.create_time),
        ended_at=ended,
        reason=_reason(completed) if ended else None,
    )


def _phase(found: Any, completed: Any) -> Phase:
    """Return SUCCEEDED only if every task succeeded, CANCELLED only if none failed.

    Cloud Run also counts tasks as cancelled in an execution that ends because a task failed.
    """
    if not _time(found.completion_time):
        return Phase.RUNNING if _time(found.start_time) else Phase.PENDING
    if found.task_count and found.succeeded_count == found.task_count:
        return Phase.SUCCEEDED
    reasons = run_v2.Condition.ExecutionReason
    if found.failed_count or (
        completed and completed.execution_reason == reasons.NON_ZERO_EXIT_CODE
    ):
        return Phase.FAILED
    if found.cancelled_count or (completed and completed.execution_reason == reasons.CANCELLED):
        return Phase.CANCELLED
    return Phase.FAILED


def _reason(completed: Any) -> str | None:
    if completed is None or completed.message:
        return completed.message if completed else None
    reason = completed.execution_reason
    return reason.name if reason else None


def _time(value: Any) -> datetime | None:
    """Return a protobuf time, None if it is not set."""
    if not value or not value.timestamp():
        return None
    return datetime.fromtimestamp(value.timestamp(), tz=value.tzinfo)
