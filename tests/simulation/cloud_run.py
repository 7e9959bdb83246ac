"""Cloud Run in memory, behind the surface of its clients that `trigger.cloud_run` uses.

An execution has tasks; a task is retried until an attempt ends with 0 or its retries are used up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from google.api_core import exceptions as google_errors
from google.cloud import run_v2

from contract import environment
from tests.simulation.faults import Faults
from tests.simulation.loop import Loop, Process

JOB = "projects/p/locations/l/jobs/j"
MAX_RETRIES = 3
KILL_SECONDS = 10.0


@dataclass
class Task:
    """A task of an execution: the process of its attempt, and how its last attempt ended."""

    index: int
    attempt: int = 0
    process: Process | None = None
    code: int | None = None
    over: bool = False


@dataclass
class Execution:
    """An execution; `begun` is None while it has not started."""

    name: str
    env: dict[str, str]
    tasks: list[Task]
    timeout: float
    created: datetime
    begun: datetime | None = None
    ended: datetime | None = None
    cancelled: bool = False
    gone: bool = False
    too_large: int | None = None  # the task whose attempts are killed
    too_large_after: float = 0.0  # seconds
    message: str = ""  # why it could not begin


@dataclass
class Service:
    """The service. `attempt` makes the work of an attempt from its environment."""

    loop: Loop
    faults: Faults
    attempt: Callable[[Process], Callable[[], Any]]
    executions: dict[str, Execution] = field(default_factory=dict)
    cancels: int = 0
    skews: tuple[float, ...] = (0.0, 0.0, 0.0, -600.0, 420.0)  # errors of clocks in seconds

    def run(
        self, env: dict[str, str], tasks: int, timeout: float, *, delay: float | None = 0.5
    ) -> str:
        """Start an execution; its name. With no delay it never begins."""
        name = f"{JOB}/executions/e{len(self.executions)}"
        one = Execution(
            name=name, env=env, tasks=[Task(index) for index in range(tasks)], timeout=timeout,
            created=self.loop.time(),
        )  # fmt: skip
        self.executions[name] = one
        if delay is not None:
            self.loop.at(delay, lambda: self._begin(one))
        return name

    def _begin(self, one: Execution) -> None:
        if one.ended or one.gone:
            return
        if self.faults.denies("secrets"):
            one.message, one.ended = "Permission denied on secret mmm-snowflake", self.loop.time()
            return
        one.begun = self.loop.time()
        for task in one.tasks:
            self._start(one, task)

    def _start(self, one: Execution, task: Task) -> None:
        short = one.name.rpartition("/")[2]
        process = Process(
            f"{short}.{task.index}.{task.attempt}",
            skew=self.skew(),
            env={
                **one.env,
                "execution": short,
                "task_index": task.index,
                "task_count": len(one.tasks),
                "attempt": task.attempt,
                "max_retries": MAX_RETRIES,
            },
        )
        task.process = process
        process.on_exit = lambda: self._attempt_ended(one, task, process)
        self.loop.start(process, self.attempt(process))
        self.loop.at(one.timeout, lambda: self.stop(process))
        if one.too_large == task.index:
            self.loop.at(one.too_large_after, lambda: self._kill(process))

    def _kill(self, process: Process) -> None:
        if not process.dead:
            self.loop.kill(process)

    def skew(self) -> float:
        """Draw the error of a machine's clock in seconds."""
        return self.loop.random.choice(self.skews) if self.faults.on else 0.0

    def stop(self, process: Process) -> None:
        """Stop a process: SIGTERM, and SIGKILL after ten seconds."""
        self.loop.signal(process, "SIGTERM")
        self.loop.at(KILL_SECONDS, lambda: self._kill(process))

    def _attempt_ended(self, one: Execution, task: Task, process: Process) -> None:
        code = process.result if process.failed is None else 1
        task.code = 137 if code is None else code
        self.loop.note("attempt of", process.name, "ended with", task.code)
        if one.gone:
            return
        again = task.code != 0 and task.attempt < MAX_RETRIES
        if again and not (task.over or one.cancelled or one.ended):
            task.attempt += 1
            self.loop.at(1.0, lambda: self._retry(one, task))
            return
        failed = task.code != 0 and not task.over and not one.cancelled
        task.over = True
        if failed:  # the other tasks are cancelled
            for other in one.tasks:
                if not other.over:
                    other.over = True
                    if other.process is not None and not other.process.dead:
                        self.stop(other.process)
        if all(t.over and (t.process is None or t.process.dead) for t in one.tasks):
            one.ended = one.ended or self.loop.time()

    def _retry(self, one: Execution, task: Task) -> None:
        if one.cancelled or one.gone or one.ended:
            task.over = True
        else:
            self._start(one, task)

    def cancel(self, name: str) -> None:
        """Cancel an execution."""
        one = self._find(name)
        if one.ended:
            raise google_errors.FailedPrecondition("it has ended")
        self.cancels += 1
        one.cancelled = True
        living = [t.process for t in one.tasks if t.process and not t.process.dead]
        for task in one.tasks:
            task.over = True
        for process in living:
            self.stop(process)
        if not living:
            one.ended = self.loop.time()

    def _find(self, name: str) -> Execution:
        one = self.executions.get(name)
        if one is None or one.gone:
            raise google_errors.NotFound(f"no execution {name}")
        return one

    @property
    def alive(self) -> list[Execution]:
        """The executions that have begun and not ended."""
        return [e for e in self.executions.values() if e.begun and not e.ended and not e.gone]


class Jobs:
    """`run_v2.JobsClient`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def run_job(self, *, request: Any, retry: None, timeout: float) -> Any:
        over = request.overrides
        env = {v.name: v.value for c in over.container_overrides for v in c.env}
        service = self._service

        def effect() -> str:
            faults, random = service.faults, service.loop.random
            tasks, timeout = over.task_count, over.timeout.total_seconds()
            delay = None if faults.happens("never starts") else random.uniform(0.2, 20.0)
            name = service.run(env, tasks, timeout, delay=delay)
            if faults.happens("starts twice"):
                service.run(env, tasks, timeout, delay=5.0)
            if faults.happens("vanishes"):
                service.loop.at(random.uniform(0, 60), lambda: self._vanish(name))
            return name

        name = service.faults.call("run", "run_job", env[environment.RUN_ID], effect)
        return SimpleNamespace(metadata=SimpleNamespace(name=name))

    def _vanish(self, name: str) -> None:
        one = self._service.executions[name]
        one.gone = True
        for task in one.tasks:
            if task.process and not task.process.dead:
                self._service.loop.kill(task.process)


class Executions:
    """`run_v2.ExecutionsClient`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def list_executions(self, request: Any, *, retry: Any, timeout: float) -> list[Any]:
        service = self._service

        def listed() -> list[Any]:
            return service.faults.call(
                "run", "list_executions", "",
                lambda: [_view(e) for e in service.executions.values() if not e.gone],
            )  # fmt: skip

        found: list[Any] = retry(listed)()
        return found

    def get_execution(self, *, name: str, retry: Any, timeout: float) -> Any:
        service = self._service

        def get() -> Any:
            return service.faults.call(
                "run", "get_execution", name, lambda: _view(service._find(name))
            )

        return retry(get)()

    def cancel_execution(self, *, name: str, retry: Any, timeout: float) -> None:
        service = self._service

        def cancel() -> None:
            service.faults.call("run", "cancel_execution", name, lambda: service.cancel(name))

        retry(cancel)()


class Tasks:
    """`run_v2.TasksClient`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def list_tasks(self, *, parent: str, retry: Any, timeout: float) -> list[Any]:
        service = self._service

        def listed() -> list[Any]:
            return service.faults.call(
                "run", "list_tasks", parent,
                lambda: [_task_view(task) for task in service._find(parent).tasks],
            )  # fmt: skip

        found: list[Any] = retry(listed)()
        return found


def _view(one: Execution) -> Any:
    succeeded = sum(t.code == 0 and t.over for t in one.tasks)
    failed = sum(t.over and t.code not in (0, None, 143) for t in one.tasks)
    reasons = run_v2.Condition.ExecutionReason
    reason = reasons.CANCELLED if one.cancelled else reasons.NON_ZERO_EXIT_CODE
    completed = SimpleNamespace(type_="Completed", message=one.message, execution_reason=reason)
    ended = one.ended is not None
    return SimpleNamespace(
        name=one.name,
        create_time=one.created,
        start_time=one.begun,
        completion_time=one.ended,
        conditions=[completed] if ended and succeeded < len(one.tasks) else [],
        task_count=len(one.tasks),
        succeeded_count=succeeded,
        failed_count=0 if one.cancelled else failed,
        cancelled_count=len(one.tasks) - succeeded - failed if ended else 0,
        template=SimpleNamespace(
            containers=[
                SimpleNamespace(env=[SimpleNamespace(name=k, value=v) for k, v in one.env.items()])
            ]
        ),
    )


def _task_view(task: Task) -> Any:
    code = task.code or 0
    status = SimpleNamespace(code=0, message="")
    result = SimpleNamespace(
        exit_code=0 if code == 137 else code, term_signal=9 if code == 137 else 0, status=status
    )
    return SimpleNamespace(index=task.index, last_attempt_result=result, conditions=[])
