"""The verdict step: judge the results and write the verdict into metrics.json."""

from __future__ import annotations

import json
from typing import Any

from contract.verdict import Level
from job.attempt.context import Attempt
from job.posterior.prepare import prepare
from job.sources import Snapshot
from job.sources.annotations import with_annotations
from job.verdict import judge
from job.verdict.evidence import read_evidence


def give_verdict(attempt: Attempt, snapshot: Snapshot) -> None:
    """Write `verdict` into metrics.json, and log each finding that is not PASS."""
    output = attempt.workspace.output
    with attempt.trace.step("verdict") as detail:
        market, _ = prepare(snapshot, with_annotations(attempt.config, snapshot.annotations))
        verdict = judge(read_evidence(output, attempt.config, market))
        file = output / "metrics.json"
        first: dict[str, Any] = {"verdict": None}
        metrics = first | json.loads(file.read_text()) | {"verdict": verdict.to_dict()}
        file.write_text(json.dumps(metrics, indent=2, ensure_ascii=False))
        detail["verdict"] = verdict.level.value
        for finding in verdict.findings:
            if finding.level is not Level.PASS:
                attempt.log.warning(finding.sentence, check=finding.check, level=finding.level)
