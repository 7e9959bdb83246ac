"""Signals inside a process: when they interrupt, and how a process ends after one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contract.exceptions import CancelledError
from job.runtime import signals
from job.runtime.signals import finish, seconds_left, shielded, stop_on_signal, stop_reason
from tests.fakes.terminal import Terminal

ROOT = Path(__file__).resolve().parents[3]


def test_a_signal_waits_for_the_end_of_an_undisturbed_block() -> None:
    reached = []

    def work() -> None:
        with shielded():
            os.kill(os.getpid(), signal.SIGTERM)
            with shielded():
                reached.append("inner")
            reached.append("outer")
        reached.append("never")

    with stop_on_signal(), pytest.raises(CancelledError, match="stopped by SIGTERM"):
        work()
    assert reached == ["inner", "outer"]


def test_a_second_signal_is_ignored() -> None:
    with stop_on_signal():
        with pytest.raises(CancelledError):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)


def test_there_is_time_without_end_until_a_signal_comes_and_after_the_block() -> None:
    with stop_on_signal():
        assert (stop_reason(), seconds_left()) == (None, float("inf"))
        with pytest.raises(CancelledError):
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop_reason() == "stopped by SIGTERM"
        deadline = time.monotonic() + 5
        while seconds_left() > signals.EXIT_SECONDS:  # the watcher has to be woken first
            assert time.monotonic() < deadline
    assert (stop_reason(), seconds_left()) == (None, float("inf"))


HANGS = """
import hashlib, os, signal, threading
from job.runtime import signals
signals.EXIT_SECONDS = 0.5
from job.runtime.signals import on_forced_exit, stop_on_signal
with stop_on_signal(), on_forced_exit(lambda: print("outer", flush=True)):
    with on_forced_exit(lambda: print("inner", flush=True)):
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
        hashlib.pbkdf2_hmac("sha256", b"", b"", 2**30)  # Python runs no handler before its end
"""


HIDES = HANGS.replace(
    "import hashlib, os,", "print('\\x1b[?25l', end='', flush=True)\nimport hashlib, os,"
)


def test_a_process_that_is_ended_by_force_shows_the_cursor_again() -> None:
    terminal = Terminal([sys.executable, "-c", HIDES], cwd=ROOT, env=dict(os.environ))
    terminal.read_until("the process ends now")
    terminal.finish()
    assert not terminal.cursor_is_hidden


def test_a_process_inside_a_library_that_hangs_is_ended_with_its_last_acts() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGS], cwd=ROOT, capture_output=True, text=True, timeout=50,
        check=False,
    )  # fmt: skip
    assert done.returncode == 143
    assert done.stdout.split() == ["inner", "outer"]
    assert "did not return after the signal" in done.stderr


def test_threads_of_a_process_that_was_told_to_stop_are_not_waited_for() -> None:
    program = """
import os, signal, threading, time
from contract.exceptions import CancelledError
from job.runtime.signals import finish, stop_on_signal
threading.Thread(target=time.sleep, args=(60,)).start()
try:
    with stop_on_signal():
        os.kill(os.getpid(), signal.SIGTERM)
except CancelledError as error:
    finish(error.exit_code)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=50, check=False)
    assert done.returncode == 143
    with stop_on_signal():
        pass
    assert finish(3) == 3


@pytest.mark.parametrize("sign", ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"])
def test_a_cancelled_process_ends_with_the_code_of_its_signal(sign: str) -> None:
    name = "Ctrl-C" if sign == "SIGINT" else sign
    program = f"""
import os, signal
from contract.exceptions import CancelledError
from job.runtime.signals import finish, stop_on_signal
try:
    with stop_on_signal():
        os.kill(os.getpid(), signal.{sign})
except CancelledError as error:
    assert str(error) == "stopped by {name}"
    finish(error.exit_code)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=50, check=False)
    assert done.returncode == 128 + signal.Signals[sign]


def test_nohup_holds() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signal():
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop_reason() is None
    finally:
        signal.signal(signal.SIGHUP, before)
