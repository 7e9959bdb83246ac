"""R as a process: what it says, how it dies, and that nothing of it stays behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import structlog

from contract.exceptions import (
    CancelledError,
    ConfigError,
    DataError,
    MMMError,
    ModelError,
    TransientError,
)
from job.runtime.workspace import Workspace
from job.train.process import run_r

pytestmark = [
    pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed"),
    pytest.mark.timeout(60),
]

HEAD = """
cfg <- jsonlite::fromJSON(sub("^job_cfg=", "", commandArgs(TRUE)))
say <- function(x) cat(jsonlite::toJSON(x, auto_unbox = TRUE), "\\n", sep = "", file = cfg$progress_file, append = TRUE)
end <- function(x) write(jsonlite::toJSON(x, auto_unbox = TRUE), cfg$result_file)
"""
Runner = Callable[..., tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]]


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    """Run an R script in the place of r/run_all.R; returns result, progress and log lines."""

    def runner(
        script: str, stop: Callable[[], str | None] = lambda: None
    ) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
        workspace = Workspace(root=tmp_path / "work")
        workspace.make()
        (tmp_path / "r").mkdir(exist_ok=True)
        (tmp_path / "r" / "run_all.R").write_text(HEAD + script)
        workspace.job_json.write_text(
            '{"progress_file": "%s", "result_file": "%s"}' % (workspace.progress, workspace.result)  # noqa: UP031
        )
        progress: list[dict[str, Any]] = []
        labelled = [structlog.contextvars.merge_contextvars]
        with (
            structlog.testing.capture_logs(processors=labelled) as lines,
            structlog.contextvars.bound_contextvars(run_id="the-run"),
        ):
            result = run_r(
                workspace,
                r_root=tmp_path / "r",
                rscript="Rscript",
                log=structlog.get_logger(),
                on_progress=progress.append,
                stop=stop,
            )
        return result, progress, [dict(line) for line in lines]

    return runner


def test_result_progress_and_console(run: Runner, tmp_path: Path) -> None:
    result, progress, lines = run(
        """
        say(list(type = "progress", trial = 1, iteration = 5, iterations = 10))
        cat("reading\\n"); message("a note"); warning("take care")
        end(list(status = "ok", engine = "builtin"))
        """
    )
    assert result["engine"] == "builtin"
    assert progress == [{"type": "progress", "trial": 1, "iteration": 5, "iterations": 10}]
    assert {line["run_id"] for line in lines} == {"the-run"}
    levels = {line["event"]: line["log_level"] for line in lines}
    assert levels["reading"] == "info"
    assert any(level == "warning" and "Warning" in text for text, level in levels.items())
    console = (tmp_path / "work" / "output" / "robyn_console.log").read_text()
    assert "reading" in console
    assert "take care" in console


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("mmm_config_error", ConfigError),
        ("mmm_data_error", DataError),
        ("nevergrad_error", ModelError),
        ("robyn_missing_error", ConfigError),
        ("mmm_killed_error", TransientError),
    ],
)
def test_rs_own_errors_keep_class_and_sentence(
    run: Runner, kind: str, error: type[MMMError]
) -> None:
    with pytest.raises(error, match=r"column X is empty \(in R's step `inputs`\)"):
        run(
            f"""
            end(list(status = "error", class = "{kind}", message = "column X is empty", step = "inputs"))
            quit("no", 70L)
            """
        )


def test_success_without_a_result_is_no_success(run: Runner) -> None:
    with pytest.raises(ModelError, match="ended without a result; its last lines: all well"):
        run('cat("all well\\n")')


def test_an_uncaught_error_is_told_with_rs_last_lines(run: Runner) -> None:
    with pytest.raises(ModelError, match=r"exit code 1 .*no such thing"):
        run('stop("no such thing")')


def test_half_a_result_is_refused(run: Runner) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        run('cat("{\\"status\\": \\"o", file = cfg$result_file)')


def test_a_death_over_the_pictures_is_a_warning(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "work" / "output").mkdir(parents=True)
    half = tmp_path / "work" / "output" / "1_1_1.png.7.tmp"
    half.write_text("half a picture")
    result, _, _ = run(
        """
        end(list(status = "drawing", engine = "builtin", warnings = list("take care")))
        tools::pskill(Sys.getpid(), tools::SIGKILL); Sys.sleep(5)
        """
    )
    assert (result["status"], result["engine"]) == ("ok", "builtin")
    assert result["warnings"] == [
        "take care", "R ended with exit code -9 while drawing pictures; some may be missing"
    ]  # fmt: skip
    assert not half.exists()


def test_a_kill_from_outside_can_be_retried(run: Runner) -> None:
    with pytest.raises(TransientError, match="memory"):
        run("tools::pskill(Sys.getpid(), tools::SIGKILL); Sys.sleep(5)")


def test_stop_ends_r_and_its_children(run: Runner, tmp_path: Path) -> None:
    mark = tmp_path / "children"
    script = f"""
        job <- parallel::mcparallel(Sys.sleep(600))
        signal <- system("trap '' TERM; sleep 600 >/dev/null 2>&1 & echo $!", intern = TRUE)
        cat(Sys.getpid(), job$pid, signal, file = "{mark}")
        Sys.sleep(600)
    """

    def stop() -> str | None:
        return "enough" if mark.exists() and mark.stat().st_size else None

    with pytest.raises(CancelledError, match="enough"):
        run(script, stop)
    pids = [int(pid) for pid in mark.read_text().split()]
    assert len(pids) == 3
    _wait_gone(pids, until=time.monotonic() + 5)


def test_r_sees_no_secret_of_the_job(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "canary-4711")
    monkeypatch.setenv("_R_CHECK_LIMIT_CORES_", "TRUE")
    result, _, _ = run(
        """
        end(list(status = "ok", engine = "x", all = paste(Sys.getenv(), collapse = " "),
                 limit = Sys.getenv("_R_CHECK_LIMIT_CORES_")))
        """
    )
    assert "canary-4711" not in result["all"]
    assert result["limit"] == "false"


def test_r_missing_is_told(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    workspace.make()
    with pytest.raises(ModelError, match="R is not installed: no `NoRscript`"):
        run_r(
            workspace,
            r_root=tmp_path,
            rscript="NoRscript",
            log=structlog.get_logger(),
            on_progress=lambda record: None,
            stop=lambda: None,
        )


def test_a_job_that_is_killed_takes_r_and_its_children_along(tmp_path: Path) -> None:
    mark = tmp_path / "pids"
    (tmp_path / "run_all.R").write_text(
        f"""
        job <- parallel::mcparallel(Sys.sleep(600))
        cat(Sys.getpid(), job$pid, file = "{mark}")
        Sys.sleep(600)
        """
    )
    code = f"""
import structlog
from pathlib import Path
from job.runtime.workspace import Workspace
from job.train.process import run_r
workspace = Workspace(root=Path("{tmp_path}"))
workspace.make()
run_r(workspace, r_root=workspace.root, rscript="Rscript", log=structlog.get_logger(),
      on_progress=print, stop=lambda: None)
"""
    job = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).resolve().parents[2])
    deadline = time.monotonic() + 30
    while not (mark.exists() and mark.read_text().count(" ")) and time.monotonic() < deadline:
        time.sleep(0.05)
    pids = [int(pid) for pid in mark.read_text().split()]
    job.kill()
    job.wait()
    _wait_gone(pids, until=time.monotonic() + 5)


def _wait_gone(pids: list[int], until: float) -> None:
    while time.monotonic() < until:
        alive = [
            pid
            for pid in pids
            if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        ]
        if not alive:
            return
        time.sleep(0.1)
    raise AssertionError(f"still alive: {alive}")
