"""Run R, pass on its lines and its progress as they come, and say what became of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import IO, Any

from contract.exceptions import (
    CancelledError,
    ConfigError,
    DataError,
    MMMError,
    ModelError,
    TransientError,
)
from contract.printable import visible
from job.runtime.disk import Console, is_full
from job.runtime.logs import Log
from job.runtime.signals import on_forced_exit, shielded, stop_reason
from job.runtime.workspace import Workspace
from job.train.job_file import find_rscript

POLL_SECONDS = 0.25
KILL_AFTER_SECONDS = 1.0
DRAIN_SECONDS = 5.0  # for what R printed last
_ERRORS: dict[str, type[MMMError]] = {
    "mmm_config_error": ConfigError,
    "mmm_data_error": DataError,
    "mmm_model_error": ModelError,
    "mmm_killed_error": TransientError,  # what was finished is kept, so that a retry is short
    "robyn_missing_error": ConfigError,  # the config asks for an engine that this image lacks
}

Progress = Callable[[dict[str, Any]], None]


def run_r(
    workspace: Workspace,
    *,
    r_root: Path,
    rscript: str,
    log: Log,
    on_progress: Progress,
    stop: Callable[[], str | None],
) -> dict[str, Any]:
    """Run `r/run_all.R` on the workspace's job file; returns what R wrote as its result.

    `stop` is asked all the time; a reason ends R's whole process group. Every line of R goes to the
    log and to `robyn_console.log`.

    Raises:
        ConfigError, DataError, ModelError: what R says is wrong.
        TransientError: R was killed from outside (out of memory, most often), or the disk is full.
        CancelledError: `stop` gave a reason.
    """
    program = find_rscript(rscript)
    if program is None:
        raise ModelError(
            f"R is not installed: no `{rscript}` on the PATH (Debian: apt install r-base-core)"
        )
    workspace.result.unlink(missing_ok=True)
    workspace.progress.write_text("")
    command = [program, "--vanilla", str(r_root / "run_all.R"), f"job_cfg={workspace.job_json}"]
    try:
        return _watch(command, workspace, log, on_progress, stop)
    except ModelError as error:  # what R says of a full disk is anything at all
        if is_full(workspace.root):
            raise TransientError(f"the disk is full, and R failed: {error.message}") from None
        raise


def _watch(
    command: list[str],
    workspace: Workspace,
    log: Log,
    on_progress: Progress,
    stop: Callable[[], str | None],
) -> dict[str, Any]:
    with (
        _process(command, workspace, log) as process,
        closing(_tail(workspace.progress)) as lines,
    ):
        while process.poll() is None:
            reason = stop()
            if reason:
                raise CancelledError(reason)
            _pass_on(lines, on_progress, log)
            time.sleep(POLL_SECONDS)
        _pass_on(lines, on_progress, log)
    return _result(process.returncode, workspace)


@contextmanager
def _process(command: list[str], workspace: Workspace, log: Log) -> Iterator[subprocess.Popen[str]]:
    """R in a process group of its own, which is gone when the block ends, however it ends."""
    temporary = workspace.root / "tmp"
    temporary.mkdir(exist_ok=True)
    process: subprocess.Popen[str] | None = None
    readers: list[threading.Thread] = []
    try:
        with shielded():  # a signal between start and `try` would leave R behind
            process = subprocess.Popen(  # noqa: S603  our own script, arguments without a shell
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                text=True,
                errors="replace",
                start_new_session=True,
                cwd=workspace.root,
                env=r_environment(temporary),
            )
            readers = _start_readers(process, workspace, log)
        with _guard(process.pid), on_forced_exit(partial(_signal_group, process, signal.SIGKILL)):
            yield process
    finally:
        with shielded():
            if process is not None:
                _end_group(process)
            for reader in readers:
                reader.join(timeout=0.2 if stop_reason() else DRAIN_SECONDS)


@contextmanager
def _guard(group: int) -> Iterator[None]:
    """End the process group if this process is killed: nothing of R may outlive its job.

    A shell waits on a pipe that this process alone holds open; the kernel closes it, whatever ends
    the process.
    """
    guard = subprocess.Popen(  # noqa: S603
        ["/bin/sh", "-c", f"read _; kill -s KILL -- -{group}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={},
        start_new_session=True,  # Ctrl-C and the end of R's group are not for it
    )
    try:
        yield
    finally:
        guard.kill()
        guard.communicate()


def r_environment(temporary: Path) -> dict[str, str]:
    """R's environment: nothing of the job's secrets, and none of R's own traps."""
    kept = (
        "PATH",
        "HOME",
        "LANG",
        "LC_ALL",
        "LD_LIBRARY_PATH",
        "R_LIBS",
        "R_LIBS_USER",
        "R_LIBS_SITE",
        "R_HOME",
        "CLOUD_RUN_EXECUTION",  # by these, whoever ends an attempt finds its processes
        "CLOUD_RUN_JOB",
        "CLOUD_RUN_TASK_ATTEMPT",
        "CLOUD_RUN_TASK_COUNT",
        "CLOUD_RUN_TASK_INDEX",
    )
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    return {
        **environment,
        "TZ": "UTC",
        "TMPDIR": str(temporary),
        "_R_CHECK_LIMIT_CORES_": "false",  # left over from package checks, it caps R at 2 processes
        "OMP_NUM_THREADS": "1",  # trials are the unit of parallelism
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _end_group(process: subprocess.Popen[str]) -> None:
    for sign, patience in ((signal.SIGTERM, KILL_AFTER_SECONDS), (signal.SIGKILL, 5.0)):
        _signal_group(process, sign)
        try:
            process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            continue
        _signal_group(process, signal.SIGKILL)  # the leader has gone; its children must go as well
        return


def _signal_group(process: subprocess.Popen[str], sign: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, sign)


def _start_readers(
    process: subprocess.Popen[str], workspace: Workspace, log: Log
) -> list[threading.Thread]:
    """Threads that copy R's two streams to the log and to the console file until they end."""
    console = Console(workspace.output / "robyn_console.log", log)
    readers = [
        # Threads start without the labels that logs carry here; each gets a copy of them.
        threading.Thread(target=copy_context().run, args=(_copy, stream, console, log), daemon=True)
        for stream in (process.stdout, process.stderr)
    ]
    for reader in readers:
        reader.start()
    return readers


def _copy(stream: IO[str], console: Console, log: Log) -> None:
    with stream:
        for raw in stream:
            line = visible(raw.rstrip("\r\n").rsplit("\r", 1)[-1])
            if not line.strip():
                continue
            console.write(line)
            if line.startswith("Warning"):
                log.warning(line, source="R")
            elif line.startswith("Error"):
                log.error(line, source="R")
            else:
                log.info(line, source="R")


def _tail(path: Path) -> Generator[dict[str, Any] | None, None, None]:
    """Progress records as they are appended; None where there is nothing new."""
    with path.open() as stream:
        partial = ""
        while True:
            chunk = stream.readline()
            partial += chunk
            if not chunk or not partial.endswith("\n"):
                yield None
                continue
            line, partial = partial, ""
            yield json.loads(line)


def _pass_on(lines: Iterator[dict[str, Any] | None], on_progress: Progress, log: Log) -> None:
    while True:
        try:
            record = next(lines)
        except json.JSONDecodeError as error:
            raise ModelError(f"R wrote progress that cannot be read: {error}") from None
        if record is None:
            return
        on_progress(record)


def _result(code: int, workspace: Workspace) -> dict[str, Any]:
    """What R wrote at its end; an exit code or a missing result is never taken for success."""
    try:
        result = json.loads(workspace.result.read_text())
    except FileNotFoundError:
        result = None
    except json.JSONDecodeError as error:
        raise ModelError(f"R wrote a result that cannot be read: {error}") from None
    if result and result.get("status") == "error":
        kind = _ERRORS.get(str(result.get("class")), ModelError)
        where = f" (in R's step `{result['step']}`)" if result.get("step") else ""
        raise kind(f"{result.get('message', 'R failed')}{where}")
    if result and result.get("status") == "drawing":  # all but the pictures was written before
        for half in workspace.output.rglob("*.tmp"):
            half.unlink()
        lost = f"R ended with exit code {code} while it drew pictures; some may be missing"
        return {**result, "status": "ok", "warnings": [*(result.get("warnings") or []), lost]}
    if code in (-signal.SIGKILL, 128 + signal.SIGKILL):
        raise TransientError("R was killed from outside; most often the machine's memory ran out")
    if code in (-signal.SIGXFSZ, 128 + signal.SIGXFSZ):
        raise TransientError("R was killed for a file larger than the machine allows")
    if code != 0:
        raise ModelError(
            f"R ended with exit code {code} and without a result; {_last_lines(workspace)}"
        )
    if not result or result.get("status") != "ok":
        raise ModelError(f"R ended without a result; {_last_lines(workspace)}")
    return dict(result)


def _last_lines(workspace: Workspace) -> str:
    console = workspace.output / "robyn_console.log"
    lines = console.read_text().splitlines()[-3:] if console.exists() else []
    return "its last lines: " + " | ".join(lines) if lines else "it printed nothing"
