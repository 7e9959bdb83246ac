"""If a picture cannot be drawn, for any reason, the run succeeds without that picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs import WEEKLY, Place, altered_r, needs_r

CONFIG = f"""{WEEKLY}
training: {{trials: 2, iterations: 100, min_candidates: 20, engine: builtin, prophet: [], cores: 2,
  min_r2: -1}}
posterior: {{enabled: false}}
outputs: {{onepagers: 2, allocator: []}}
"""
PAGE = "draw_onepager <- function(id, outputs, cfg, path) {"


@needs_r
@pytest.mark.parametrize(
    ("file", "old", "new", "warning"),
    [
        ("R/onepagers.R", PAGE, f"{PAGE} stop('no such font')", "was not drawn: no such font"),
        ("R/memory.R", "LIMIT_MB <- 1000", "LIMIT_MB <- 4", "was not drawn: "),
        (
            "R/pictures.R", "  if (!length(ids)) return(character())",
            "  tools::pskill(Sys.getpid(), tools::SIGKILL); Sys.sleep(10)",
            "R ended with exit code -9 while drawing pictures",
        ),
    ],
    ids=["an error", "too little memory", "all of R killed"],
)  # fmt: skip
def test_the_run_succeeds_and_warns(
    tmp_path: Path, file: str, old: str, new: str, warning: str
) -> None:
    place = Place(tmp_path, CONFIG)
    line, output = place.command(MMM_R_ROOT=str(altered_r(tmp_path, file, old, new)))
    assert line.startswith("SUCCEEDED"), output[-3000:]
    (run_id,) = place.run_ids()
    manifest, (event,) = place.manifest(run_id), place.events()
    assert any(warning in text for text in manifest["warnings"]), manifest["warnings"]
    assert any(warning in text for text in event["data"]["warnings"])
    assert not any("onepagers" in artifact["path"] for artifact in manifest["artifacts"])
    names = {artifact["path"] for artifact in manifest["artifacts"]}
    assert {"metrics.json", "tables/models.parquet", "report.html", "timings.json"} <= names
