"""Run tasks as local processes, the way Cloud Run runs them.

Each attempt is a process with CLOUD_RUN_* in its environment. A task that fails is tried again up
to `max_retries` times. A task that exceeds its timeout or is cancelled gets SIGTERM and, after the
grace time, SIGKILL. When an attempt ends, its remaining processes and temporary files are removed,
as when a container ends.
"""

from __future__ import annotations

import os
import random
import signal
import string
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from contract import environment
from job.runtime.temporary import TemporaryFolder
from trigger.execution import Phase

GRACE_SECONDS = 10.0
CANNOT_START = 127


@dataclass
class Task:
    """One task and the result of its last attempt."""

    index: int
    phase: Phase = Phase.PENDING
    attempt: int = 0
    exit_code: int = 0
    term_signal: int = 0
    message: str = ""


@dataclass
class LocalExecution:
    """One execution: it runs `command` once for each task."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    task_count: int = 1
    max_retries: int = 0
    timeout: float = 600.0
    grace: float = GRACE_SECONDS
    log_dir: Path | None = None
    base_env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    job: str = "mmm-train"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None

    def __post_init__(self) -> None:
        self.tasks = [Task(index=index) for index in range(self.task_count)]
        self.cancelled = threading.Event()
        self.done = threading.Event()
        self._left = self.task_count
        self._lock = threading.Lock()

    @property
    def short_name(self) -> str:
        """Return the last part of the name, which tasks see in their environment."""
        return self.name.rpartition("/")[2]

    @property
    def phase(self) -> Phase:
        """Return the execution's phase: SUCCEEDED only if every task succeeded."""
        phases = {task.phase for task in self.tasks}
        if not self.done.is_set():
            return Phase.PENDING if phases == {Phase.PENDING} else Phase.RUNNING
        if phases == {Phase.SUCCEEDED}:
            return Phase.SUCCEEDED
        return Phase.CANCELLED if phases <= {Phase.SUCCEEDED, Phase.CANCELLED} else Phase.FAILED

    @property
    def reason(self) -> str | None:
        """Return the exit code or signal of the first failed task, None without one."""
        for task in self.tasks:
            if task.phase is Phase.FAILED:
                how = (
                    f"signal {task.term_signal}"
                    if task.term_signal
                    else f"exit code {task.exit_code}"
                )
                tail = f": {task.message}" if task.message else ""
                return f"task {task.index} ended with {how}{tail}"
        return "cancelled" if self.cancelled.is_set() else None

    def start(self) -> None:
        """Start every task in its own thread."""
        for task in self.tasks:
            threading.Thread(
                target=self._run, args=(task,), name=f"{self.short_name}/{task.index}", daemon=True
            ).start()

    def cancel(self) -> None:
        """Stop all tasks; no task is tried again."""
        self.cancelled.set()

    def _run(self, task: Task) -> None:
        try:
            for attempt in range(self.max_retries + 1):
                if self.cancelled.is_set():
                    break
                task.attempt, task.phase = attempt, Phase.RUNNING
                self._attempt(task)
                if not (task.exit_code or task.term_signal):
                    task.phase = Phase.SUCCEEDED
                    return
            task.phase = Phase.CANCELLED if self.cancelled.is_set() else Phase.FAILED
        finally:
            with self._lock:
                self._left -= 1
                if self._left == 0:
                    self.ended_at = datetime.now(UTC)
                    self.done.set()

    def _attempt(self, task: Task) -> None:
        marks = {
            environment.CLOUD_RUN_JOB: self.job,
            environment.CLOUD_RUN_EXECUTION: self.short_name,
            environment.CLOUD_RUN_TASK_INDEX: str(task.index),
            environment.CLOUD_RUN_TASK_ATTEMPT: str(task.attempt),
            environment.CLOUD_RUN_TASK_COUNT: str(self.task_count),
        }
        env = {**self.base_env, **self.env, **marks}
        task.message = ""
        try:
            with TemporaryFolder("task-", parent=env.get("TMPDIR")) as folder:
                code = self._run_once(task, {**env, "TMPDIR": str(folder.path)}, marks)
        except OSError as error:
            task.message, code = str(error), CANNOT_START
        task.exit_code, task.term_signal = (code, 0) if code >= 0 else (0, -code)

    def _run_once(self, task: Task, env: Mapping[str, str], marks: Mapping[str, str]) -> int:
        log: int | None = None
        try:
            if self.log_dir is not None:
                self.log_dir.mkdir(parents=True, exist_ok=True)
                file = self.log_dir / f"{self.short_name}-{task.index}-{task.attempt}.log"
                log = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            process = subprocess.Popen(  # noqa: S603  the job's own command line
                list(self.command),
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            if log is not None:
                os.close(log)
        return self._watch(process, task, marks)

    def _watch(self, process: subprocess.Popen[bytes], task: Task, marks: Mapping[str, str]) -> int:
        deadline = time.monotonic() + self.timeout
        try:
            while process.poll() is None:
                late = time.monotonic() > deadline
                if late or self.cancelled.is_set():
                    task.message = "the task timed out" if late else "cancelled"
                    return self._stop(process)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.05)
            return process.returncode
        finally:
            kill_all(marks)
            process.wait()

    def _stop(self, process: subprocess.Popen[bytes]) -> int:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(self.grace)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        code = process.returncode
        return code or 143  # a task that timed out or was cancelled never counts as a success


def processes_of(*marks: Mapping[str, str]) -> list[int]:
    """Return the ids of processes whose environment has all these variables (Linux only)."""
    wanted = {f"{k}={v}".encode() for mark in marks for k, v in mark.items()}
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == str(os.getpid()):
            continue
        try:
            variables = set((folder / "environ").read_bytes().split(b"\0"))
        except OSError:
            continue
        if wanted and wanted <= variables:
            found.append(int(folder.name))
    return found


def kill_all(*marks: Mapping[str, str]) -> None:
    """Kill every process of an attempt, as the end of a container does."""
    for _ in range(5):
        found = processes_of(*marks)
        if not found:
            return
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def suffix() -> str:
    """Return five random letters or digits, like the end of a Cloud Run execution's name."""
    return "".join(random.choices(string.ascii_lowercase + string.digits, k=5))  # noqa: S311
