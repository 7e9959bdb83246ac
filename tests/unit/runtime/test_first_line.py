"""The first line of the job's log, before the modules are loaded that train."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
HEAVY = ("pandas", "numpy", "pyarrow", "google.auth", "structlog", "pydantic")


def run(code: str, **variables: str) -> list[str]:
    """Run Python at the root; return the lines of its stderr."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    return done.stderr.splitlines()


def test_it_says_at_once_that_it_starts_and_as_which_task() -> None:
    first, *_ = run(
        f"""
import sys, job.__main__
class Stderr:
    def write(self, text):
        loaded = [name for name in {HEAVY} if name in sys.modules]
        sys.__stderr__.write(text if not loaded else repr(loaded))
        sys.__stderr__.flush()
    def flush(self):
        pass
sys.stderr = Stderr()
job.__main__.main(["--config", "none.yaml"])
""",
        CLOUD_RUN_EXECUTION="mmm-1",
        CLOUD_RUN_TASK_INDEX="2",
        CLOUD_RUN_TASK_ATTEMPT="0",
    )
    line = json.loads(first.partition("\n")[0])
    assert (line["severity"], line["message"]) == ("INFO", "the job starts")
    labels = {"execution": "mmm-1", "task": "2", "attempt": "0"}
    assert line["logging.googleapis.com/labels"] == labels


def test_people_get_no_such_line() -> None:
    lines = run(
        "import job.__main__ as m; m.main(['--config', 'none.yaml'])", MMM_LOG_STYLE="console"
    )
    assert not [line for line in lines if "the job starts" in line]


def test_what_trains_is_loaded_after_the_request_is_found() -> None:
    code = "import sys, job.start; sys.stderr.write(str('pandas' in sys.modules))"
    assert run(code) == ["False"]
