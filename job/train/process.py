"""Run R, forward its output and progress as they arrive, and return its result."""

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

from contract import environment
from contract.exceptions import (
    CancelledError,
    ConfigError,
    DataError,
    MMMError,
    ModelError,
    TransientError,
)
from contract.printable import escape_invisible
from job.runtime.disk import ConsoleFile, is_full
from job.runtime.logs import Log
from job.runtime.signals import on_forced_exit, shielded, stop_reason
from job.runtime.workspace import Workspace
from job.train.job_file import find_rscript

POLL_SECONDS = 0.25
KILL_AFTER_SECONDS = 1.0
DRAIN_SECONDS = 5.0  # time to read R's last lines
_ERRORS: dict[str, type[MMMError]] = {
    "mmm_config_error": ConfigError,
    "mmm_data_error": DataError,
    "mmm_model_error": ModelError,
    "mmm_killed_error": TransientError,  # finished trials are stored, so a retry is short
    "robyn_missing_error": ConfigError,  # this image lacks the engine of the config
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
    """Run `r/run_all.R` on the workspace's job file; return the result that R wrote.

    `stop` is called repeatedly; if it returns a reason, R's whole process group is ended. Every
    line of R goes to the log and to `robyn_console.log`.

    Raises:
        ConfigError, DataError, ModelError: R reports a fault.
        TransientError: another process killed R (usually out of memory), or the disk is full.
        CancelledError: `stop` returned a reason.
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
    except ModelError as error:  # on a full disk, R may report any error
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
            _forward(lines, on_progress, log)
            time.sleep(POLL_SECONDS)
        _forward(lines, on_progress, log)
    return _result(process.returncode, workspace)


@contextmanager
def _process(command: list[str], workspace: Workspace, log: Log) -> Iterator[subprocess.Popen[str]]:
    """Run R in its own process group, and end the group when the block ends."""
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
    """End the process group if this process is killed, so that R never outlives its job.

    A shell waits on a pipe that only this process holds open. The kernel closes the pipe when the
    process ends for any reason.
    """
    guard = subprocess.Popen(  # noqa: S603
        ["/bin/sh", "-c", f"read _; kill -s KILL -- -{group}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={},
        start_new_session=True,  # Ctrl-C and the end of R's group must not reach it
    )
    try:
        yield
    finally:
        guard.kill()
        guard.communicate()


def r_environment(temporary: Path) -> dict[str, str]:
    """Return R's environment: without the job's secrets, and with safe values of R's options."""
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
        *environment.TASK,  # these identify the processes of an attempt
    )
    variables = {name: os.environ[name] for name in kept if name in os.environ}
    return {
        **variables,
        "TZ": "UTC",
        "TMPDIR": str(temporary),
        "_R_CHECK_LIMIT_CORES_": "false",  # set by package checks; it limits R to 2 processes
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
        _signal_group(process, signal.SIGKILL)  # the leader has ended; its children must end too
        return


def _signal_group(process: subprocess.Popen[str], sign: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, sign)


def _start_readers(
    process: subprocess.Popen[str], workspace: Workspace, log: Log
) -> list[threading.Thread]:
    """Start threads that copy R's two streams to the log and to the console file."""
    console = ConsoleFile(workspace.output / "robyn_console.log", log)
    readers = [
        # A thread starts without this thread's log labels, so each gets a copy.
        threading.Thread(target=copy_context().run, args=(_copy, stream, console, log), daemon=True)
        for stream in (process.stdout, process.stderr)
    ]
    for reader in readers:
        reader.start()
    return readers


def _copy(stream: IO[str], console: ConsoleFile, log: Log) -> None:
    with stream:
        for raw in stream:
            line = escape_invisible(raw.rstrip("\r\n").rsplit("\r", 1)[-1])
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
    """Yield progress records as R appends them, None if there is nothing new."""
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


def _forward(lines: Iterator[dict[str, Any] | None], on_progress: Progress, log: Log) -> None:
    while True:
        try:
            record = next(lines)
        except json.JSONDecodeError as error:
            raise ModelError(f"R wrote progress that cannot be read: {error}") from None
        if record is None:
            return
        on_progress(record)


def _result(code: int, workspace: Workspace) -> dict[str, Any]:
    """Return the result that R wrote; a bad exit code or a missing result is an error."""
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
    if result and result.get("status") == "drawing":  # everything except the pictures is written
        for partial_file in workspace.output.rglob("*.tmp"):
            partial_file.unlink()
        warning = f"R ended with exit code {code} while drawing pictures; some may be missing"
        return {**result, "status": "ok", "warnings": [*(result.get("warnings") or []), warning]}
    if code in (-signal.SIGKILL, 128 + signal.SIGKILL):
        raise TransientError("another process killed R; usually the machine ran out of memory")
    if code in (-signal.SIGXFSZ, 128 + signal.SIGXFSZ):
        raise TransientError("R was killed because a file became larger than the machine allows")
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
