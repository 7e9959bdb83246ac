"""Local executions: Cloud Run's environment, retries, timeouts and signals."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mmm.local.launcher import LocalLauncher
from mmm.local.tasks import processes_of
from trigger.execution import Launch, Phase

RUN_ID = "20261123T020000Z-1a2b3c4d"


class Scripts:
    """Launchers of small programs; all are closed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[LocalLauncher] = []

    def launcher(self, program: str, *, max_retries: int = 0) -> LocalLauncher:
        made = LocalLauncher(
            [sys.executable, "-c", program],
            env={"OUT": str(self.folder)},
            max_retries=max_retries,
            log_dir=self.folder / "logs",
            grace=0.3,
        )
        self.made.append(made)
        return made


@pytest.fixture
def scripts(tmp_path: Path) -> Iterator[Scripts]:
    made = Scripts(tmp_path)
    yield made
    for launcher in made.made:
        launcher.close()


def test_tasks_get_cloud_runs_environment(scripts: Scripts, tmp_path: Path) -> None:
    launcher = scripts.launcher(
        "import os,pathlib;e=os.environ;"
        "pathlib.Path(e['OUT'],e['CLOUD_RUN_TASK_INDEX']).write_text("
        "' '.join(f'{k}={v}' for k,v in sorted(e.items()) if k.startswith(('CLOUD_RUN','MMM'))))"
    )
    name = launcher.launch(Launch(run_id=RUN_ID, config_uri="gs://b/c.yaml", task_count=2))
    execution = launcher.wait(name, 10)
    assert execution.phase is Phase.SUCCEEDED
    assert execution.run_id == RUN_ID
    for index in (0, 1):
        assert (tmp_path / str(index)).read_text() == (
            f"CLOUD_RUN_EXECUTION={name} CLOUD_RUN_JOB=mmm-train CLOUD_RUN_TASK_ATTEMPT=0 "
            f"CLOUD_RUN_TASK_COUNT=2 CLOUD_RUN_TASK_INDEX={index} "
            f"MMM_CONFIG_URI=gs://b/c.yaml MMM_MAX_RETRIES=0 MMM_RUN_ID={RUN_ID}"
        )


def test_a_task_is_tried_again_until_it_succeeds(scripts: Scripts) -> None:
    launcher = scripts.launcher(
        "import os,sys;sys.exit(75 if os.environ['CLOUD_RUN_TASK_ATTEMPT']=='0' else 0)",
        max_retries=1,
    )
    name = launcher.launch(Launch(run_id=RUN_ID))
    assert launcher.wait(name, 10).phase is Phase.SUCCEEDED
    assert launcher.executions[name].tasks[0].attempt == 1


def test_a_failure_says_how(scripts: Scripts) -> None:
    launcher = scripts.launcher("import sys;sys.exit(65)", max_retries=1)
    execution = launcher.wait(launcher.launch(Launch(run_id=RUN_ID)), 10)
    assert (execution.phase, execution.reason) == (Phase.FAILED, "task 0 ended with exit code 65")
    launcher = scripts.launcher("import os;os.kill(os.getpid(),9)")
    execution = launcher.wait(launcher.launch(Launch(run_id=RUN_ID)), 10)
    assert execution.reason == "task 0 ended with signal 9"


def test_a_timeout_is_told_by_sigterm(scripts: Scripts, tmp_path: Path) -> None:
    launcher = scripts.launcher(
        "import os,pathlib,signal,sys,time\n"
        "def stop(*_):\n"
        "    pathlib.Path(os.environ['OUT'],'term').write_text('x'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "time.sleep(30)"
    )
    name = launcher.launch(Launch(run_id=RUN_ID, timeout=timedelta(seconds=0.6)))
    execution = launcher.wait(name, 10)
    assert execution.phase is Phase.FAILED
    assert execution.reason == "task 0 ended with exit code 143: the task timed out"
    assert (tmp_path / "term").exists()


def test_what_ignores_sigterm_is_killed_with_all_it_started(
    scripts: Scripts, tmp_path: Path
) -> None:
    launcher = scripts.launcher(
        "import os,pathlib,signal,subprocess,sys,time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child=subprocess.Popen([sys.executable,'-c','import time;time.sleep(60)'],"
        "start_new_session=True)\n"
        "pathlib.Path(os.environ['OUT'],'ready').write_text('x')\n"
        "time.sleep(60)"
    )
    name = launcher.launch(Launch(run_id=RUN_ID))
    while not (tmp_path / "ready").exists():
        time.sleep(0.02)
    assert len(processes_of({"CLOUD_RUN_EXECUTION": name})) == 2
    assert launcher.get(name) == launcher.find(RUN_ID)[0]
    launcher.cancel(name)
    execution = launcher.wait(name, 10)
    assert execution.phase is Phase.CANCELLED
    assert processes_of({"CLOUD_RUN_EXECUTION": name}) == []


def test_another_launcher_knows_an_execution_as_long_as_it_lives(scripts: Scripts) -> None:
    launcher = scripts.launcher("import time;time.sleep(60)")
    name = launcher.launch(Launch(run_id=RUN_ID))
    while not (pids := processes_of({"CLOUD_RUN_EXECUTION": name})):
        time.sleep(0.02)
    other = scripts.launcher("")
    found = other.get(name)
    assert found is not None
    assert found.phase is Phase.RUNNING
    os.kill(pids[0], signal.SIGKILL)
    launcher.wait(name, 10)
    assert other.get(name) is None


def test_a_command_that_does_not_exist_fails(tmp_path: Path) -> None:
    launcher = LocalLauncher([str(tmp_path / "nothing")], env={}, max_retries=0)
    execution = launcher.wait(launcher.launch(Launch(run_id=RUN_ID)), 10)
    assert execution.phase is Phase.FAILED
    assert "No such file" in str(execution.reason)


def test_a_task_whose_folder_cannot_be_made_fails(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    launcher = LocalLauncher([sys.executable, "-c", ""], env={"TMPDIR": str(missing)})
    execution = launcher.wait(launcher.launch(Launch(run_id=RUN_ID)), 10)
    assert execution.phase is Phase.FAILED
    assert str(missing) in str(execution.reason)
