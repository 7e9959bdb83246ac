"""Bars and log lines on one terminal: neither repeats or overwrites the other."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from rich.console import Console

from contract.exceptions import CancelledError
from job.runtime import logs
from job.runtime.progress import Bars
from job.runtime.signals import stop_on_signal
from job.runtime.trace import Trace
from tests.fakes.terminal import Terminal

HIDDEN, SHOWN = "\x1b[?25l", "\x1b[?25h"
ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import logging, time, warnings
from rich.console import Console
from job.runtime import logs
from job.runtime.progress import make_view
from job.runtime.trace import Step

console = Console(stderr=True)
log = logs.configure("console", console)
view = make_view("console", log, console)
log.info("train begins")
step = Step(name="train", started_at="")
view.step(step)
for done in range(0, 2001, 100):
    for trial in (1, 2, 3):
        view.progress({"type": "progress", "trial": trial, "iteration": done,
                       "iterations": 2000, "best_nrmse": 0.05})
    if done % 500 == 0:
        log.info(f"line {done}", source="r")
        time.sleep(0.15)  # the bars redraw ten times a second
    if done == 1000:
        log.warning("long " + "0123456789" * 12 + " [red]end[/red]")
        warnings.warn("of a library", stacklevel=1)
        logging.getLogger("google.auth").warning("of a client")
step.state = "finished"
view.step(step)
log.info("train is done")
print("SUCCEEDED")
"""


def test_log_lines_stand_above_the_bars() -> None:
    terminal = Terminal([sys.executable, "-c", PROGRAM], cwd=ROOT, env=os.environ)
    assert terminal.finish() == 0
    lines = terminal.lines()
    for trial in (1, 2, 3):
        [bar] = [line for line in lines if f"trial {trial}" in line]
        assert bar.split()[3:] == ["2000/2000", "NRMSE", "0.0500", bar.split()[-1]], bar
    for text in ("train begins", "r: line 0", "r: line 500", "r: line 1000", "r: line 1500",
                 "r: line 2000", "train is done", "of a client"):  # fmt: skip
        [line] = [line for line in lines if line[11:] == text]
        assert line[2] == line[5] == ":", line
    long = next(number for number, line in enumerate(lines) if "! long" in line)
    joined = lines[long] + lines[long + 1]
    assert joined.endswith("0123456789" * 12 + " [red]end[/red]")
    assert sum("UserWarning: of a library" in line for line in lines) == 1
    above, below = [
        next(number for number, line in enumerate(lines) if text in line)
        for text in ("r: line 2000", "trial 1")
    ]
    assert above < below
    assert lines[-1] == "SUCCEEDED"
    assert not terminal.cursor_is_hidden


def test_lines_go_to_stderr_and_a_file_gets_no_bars() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "SUCCEEDED\n"
    assert "trial 1: 1000 of 2000 iterations, best NRMSE 0.0500" in done.stderr
    assert "━" not in done.stderr


def test_a_signal_while_the_bars_begin_shows_the_cursor_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The signal arrives when the cursor has just been hidden."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=60)
    bars = Bars(console)
    hidden = console.show_cursor

    def hide_and_stop(show: bool = True) -> bool:
        done = hidden(show)
        if not show:
            os.kill(os.getpid(), signal.SIGTERM)
        return done

    monkeypatch.setattr(console, "show_cursor", hide_and_stop)
    trace = Trace(log=structlog.get_logger(), on_change=bars.step)
    with pytest.raises(CancelledError), stop_on_signal(), trace.step("train"):
        pass
    assert [step.state for step in trace.steps] == ["failed"]
    assert screen.getvalue().rfind(SHOWN) > screen.getvalue().rfind(HIDDEN) >= 0


def test_a_line_that_a_signal_interrupts_is_written_once() -> None:
    class Interrupted(io.StringIO):
        def write(self, text: str) -> int:
            done = super().write(text)
            if self.getvalue().count("train") == 1 and "train" in text:
                os.kill(os.getpid(), signal.SIGTERM)
            return done

    screen = Interrupted()
    log = logs.configure("console", Console(file=screen, force_terminal=True, width=60))
    with pytest.raises(CancelledError), stop_on_signal():
        log.info("train")
    log.info("stopped")
    assert screen.getvalue().count("train") == 1
    assert screen.getvalue().count("stopped") == 1
