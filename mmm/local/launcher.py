"""Run executions as local processes: the stand-in for Cloud Run in `mmm serve` and tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from contract import environment
from mmm.local.tasks import GRACE_SECONDS, LocalExecution, processes_of, suffix
from trigger.execution import Execution, Launch, Phase


class LocalLauncher:
    """Run `command` for every execution, with Cloud Run's environment variables."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        job: str = "mmm-train",
        max_retries: int = 1,
        log_dir: Path | None = None,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self._command = list(command)
        self._env = dict(env)
        self._job = job
        self._max_retries = max_retries
        self._log_dir = log_dir
        self._grace = grace
        self.executions: dict[str, LocalExecution] = {}

    def launch(self, launch: Launch) -> str:
        """Start an execution in threads of this process and return its name."""
        execution = LocalExecution(
            name=f"{self._job}-{suffix()}",
            command=self._command,
            env=launch.env(),
            base_env={**self._env, environment.MAX_RETRIES: str(self._max_retries)},
            task_count=launch.task_count,
            timeout=launch.timeout.total_seconds(),
            max_retries=self._max_retries,
            log_dir=self._log_dir,
            grace=self._grace,
            job=self._job,
        )
        self.executions[execution.name] = execution
        execution.start()
        return execution.name

    def find(self, run_id: str) -> list[Execution]:
        """Return the executions that this launcher started for a run, oldest first."""
        return [
            _state_of(e)
            for e in self.executions.values()
            if e.env.get(environment.RUN_ID) == run_id
        ]

    def get(self, name: str) -> Execution | None:
        """Return an execution; another launcher's is found only while its processes run."""
        execution = self.executions.get(name)
        if execution is not None:
            return _state_of(execution)
        if processes_of({environment.CLOUD_RUN_EXECUTION: name}):
            return Execution(name=name, phase=Phase.RUNNING)
        return None

    def cancel(self, name: str) -> None:
        """Stop an execution; processes of another launcher get SIGTERM."""
        if name in self.executions:
            self.executions[name].cancel()
            return
        for pid in processes_of({environment.CLOUD_RUN_EXECUTION: name}):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGTERM)

    def wait(self, name: str, timeout: float | None = None) -> Execution:
        """Wait until an execution has ended, at most `timeout` seconds, and return it."""
        self.executions[name].done.wait(timeout)
        return _state_of(self.executions[name])

    def close(self) -> None:
        """Stop all executions and wait until their processes have ended."""
        for execution in self.executions.values():
            execution.cancel()
        for execution in self.executions.values():
            execution.done.wait(self._grace + 5)


def _state_of(execution: LocalExecution) -> Execution:
    return Execution(
        name=execution.name,
        phase=execution.phase,
        env=dict(execution.env),
        created_at=execution.created_at,
        ended_at=execution.ended_at,
        reason=execution.reason,
    )
