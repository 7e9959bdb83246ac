"""Train in the image while it is built: `python smoke.py CONFIG`. The build fails if this fails.

Each engine that the image has trains 2 trials of 120 iterations: by the optimiser in R, by
nevergrad, and by Robyn's own search. Every run has to draw its pictures. Prints what ran as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

PICTURES = 2
SIGNATURE = b"\x89PNG\r\n\x1a\n"
BUILTIN = (
    {"engine": "builtin"},
    {"engine": "builtin", "optimiser": "OnePointDE"},  # drawn by nevergrad
)
ROBYN = ({"engine": "robyn"}, {"engine": "robyn", "search": "robyn"})


def main() -> int:
    """Train once with each engine and optimiser; return the exit code."""
    config = yaml.safe_load(Path(sys.argv[1]).read_text())
    library = Path(os.environ["MMM_R_ROOT"]).parent / ".r-library"
    robyn = json.loads((library / "robyn.json").read_text())["robyn"]
    runs = []
    for training in BUILTIN + (ROBYN if robyn else ()):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(train(config, training, Path(folder)))
        print(json.dumps(runs[-1]), file=sys.stderr)
    print(json.dumps({"robyn": robyn, "runs": runs}, indent=1))
    return 0


def train(config: dict[str, Any], training: dict[str, str], folder: Path) -> dict[str, Any]:
    """Train with one engine; return what ran. Errors: SystemExit says what is missing."""
    wanted = {"trials": 2, "iterations": 120, "adstock": "geometric", "holidays": "DE"} | training
    changed = config | {
        "training": wanted,
        "outputs": {"onepagers": PICTURES},
        "posterior": {"sweeps": 60},
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(changed))
    bucket = folder / "bucket"
    places = {"MMM_BUCKET": str(bucket), "MMM_EVENTS_TOPIC": str(folder / "events.jsonl")}
    started = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "job", "--config", path], env=os.environ | places, check=True
    )
    seconds = round(time.monotonic() - started)
    [manifest] = bucket.glob("robyn/**/manifest.json")
    made = json.loads(manifest.read_text())
    drawn = [p for p in manifest.parent.glob("onepagers/*.png") if is_picture(p)]
    engine, artifacts = made["engine"], len(made["artifacts"])
    if (engine, len(drawn)) != (training["engine"], PICTURES):
        raise SystemExit(f"{training}: engine {engine}, {len(drawn)} of {PICTURES} pictures")
    return training | {"seconds": seconds, "pictures": len(drawn), "artifacts": artifacts}


def is_picture(path: Path) -> bool:
    """Return whether a file is a PNG of more than an empty page."""
    content = path.read_bytes()
    return content.startswith(SIGNATURE) and len(content) > 20_000


if __name__ == "__main__":
    sys.exit(main())
