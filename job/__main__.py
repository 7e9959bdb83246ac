"""`python -m job`: the command that Cloud Run starts."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import Literal


def main(arguments: Sequence[str] | None = None) -> int:
    """Make one attempt at one run; return the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while modules load, nothing needs cleaning up
    parser = argparse.ArgumentParser(prog="python -m job", description=__doc__)
    parser.add_argument("--config", metavar="URI", help="a config: gs://… or the path of a file")
    parser.add_argument("--run-id", metavar="ID", help="the id of an accepted run")
    parser.add_argument(
        "--force",
        action="store_true",
        help="train again even if this config and data were trained before",
    )
    given = parser.parse_args(arguments)
    from contract import environment

    environment.hide_secrets_from_programs()
    style: Literal["console", "json"] = "json"
    if os.environ.get(environment.LOG_STYLE) == "console":
        style = "console"
    else:
        _log_start()
    from job.runtime.progress import open_log
    from job.runtime.signals import finish
    from job.start import start

    log, view = open_log(style)
    ending = start(
        config_uri=given.config,
        run_id=given.run_id,
        force=given.force,
        via="execution",
        log=log,
        view=view,
    )
    return finish(ending.exit_code)


def _log_start() -> None:
    """Log that the process runs, before the modules are loaded that the job's own log needs."""
    from contract import environment
    from contract.cloud_logging import entry

    execution, task, attempt = (
        os.environ.get(name, "")
        for name in (
            environment.CLOUD_RUN_EXECUTION,
            environment.CLOUD_RUN_TASK_INDEX,
            environment.CLOUD_RUN_TASK_ATTEMPT,
        )
    )
    labels = {"execution": execution, "task": task, "attempt": attempt}
    print(entry("info", "the job starts", labels=labels), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
