"""The steps of `Rscript r/run_all.R` without computations: inputs, trials in processes, outputs.

It is started as `python -I -S rscript.py FOLDER … job_cfg=/path/job.json`. FOLDER has the tables and
metrics of a finished training. Its `<run id>.kill` names a moment and a process that is killed then,
once.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

TRIAL_SECONDS = 0.15


def record(seed: int, trial: int) -> str:
    """Return the result of a trial; it depends on seed and trial, as in R."""
    return hashlib.sha256(f"{seed}|{trial}".encode()).hexdigest()


class Training:
    """One R process of one attempt."""

    def __init__(self, folder: Path, job: dict[str, Any]) -> None:
        self.folder, self.job = folder, job
        self.work, self.output = Path(job["work_dir"]), Path(job["output_dir"])

    def say(self, **event: Any) -> None:
        with Path(self.job["progress_file"]).open("a") as stream:
            stream.write(json.dumps(event) + "\n")

    def note(self, what: str, **more: Any) -> None:
        """Log a computation, so that tests can count it."""
        line = {"run": self.job["run_id"], "what": what, "at": time.time(), **more}
        with (self.folder / "computed.jsonl").open("a") as stream:
            stream.write(json.dumps(line) + "\n")

    def moment(self, name: str) -> None:
        """Kill a process at this boundary between steps, if the plan says so."""
        plan = self.folder / f"{self.job['run_id']}.kill"
        try:
            at, victim = plan.read_text().split()
        except FileNotFoundError:
            return
        if at == name:
            plan.rename(plan.with_suffix(".killed"))
            os.kill(os.getppid() if victim == "job" else os.getpid(), signal.SIGKILL)
            time.sleep(10)

    def inputs(self) -> None:
        if not (self.work / "inputs.rds").exists():
            self.write(self.work / "inputs.rds", "inputs")
        self.say(type="step", step="inputs", state="finished", seconds=0.1)
        self.moment("inputs")

    def trials(self) -> None:
        for trial in self.job["trials_todo"]:
            path = self.work / "trials" / f"trial_{trial}.rds"
            if path.exists():
                continue
            child = os.fork()
            if child == 0:
                self.trial(trial, path)
                os._exit(0)
            if os.waitpid(child, 0)[1]:
                self.end(75, **{"class": "mmm_killed_error", "message": f"Trial {trial} failed"})

    def trial(self, trial: int, path: Path) -> None:
        total = self.job["iterations"]
        self.moment(f"trial{trial}")
        for part in (1, 2):
            time.sleep(TRIAL_SECONDS / 2)
            self.say(
                type="progress", trial=trial, trials=self.job["trials"],
                iteration=part * total // 2, iterations=total, best_nrmse=0.1,
            )  # fmt: skip
        self.write(path, record(self.job["seed"], trial))
        self.note("trial", trial=trial)
        self.say(type="checkpoint", trial=trial, path=str(path))

    def outputs(self) -> None:
        self.moment("outputs")
        found = {
            trial: (self.work / "trials" / f"trial_{trial}.rds").read_text()
            for trial in range(1, self.job["trials"] + 1)
        }
        shutil.copytree(self.folder / "output", self.output, dirs_exist_ok=True)
        self.write(self.output / "trials.json", json.dumps(found))
        self.write(self.output / "timings.json", json.dumps({"total": time.time() % 100}))
        self.note("training")

    def write(self, path: Path, text: str) -> None:
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        temporary.write_text(text)
        temporary.rename(path)

    def end(self, code: int, **result: Any) -> None:
        status = "ok" if code == 0 else "error"
        self.write(Path(self.job["result_file"]), json.dumps({"status": status, **result}))
        sys.exit(code)


def main() -> None:
    if "--engine" in sys.argv:
        print("builtin")
        return
    [config] = [a.removeprefix("job_cfg=") for a in sys.argv if a.startswith("job_cfg=")]
    training = Training(Path(sys.argv[1]), json.loads(Path(config).read_text()))
    training.inputs()
    training.trials()
    if training.job["merge"]:
        training.outputs()
    print("training finished")
    training.end(
        0, engine="builtin", search="fast", best_model="1_2_1", r_version="4",
        trial_iterations=[training.job["iterations"]] * training.job["trials"],
    )  # fmt: skip


if __name__ == "__main__":
    main()
