"""The steps of a run: extract → gate → train → outputs → upload → promote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from contract import layout
from contract.base import canonical_json, sha256_hex
from contract.exceptions import DataError, NotFoundError, TransientError
from contract.market import keep_market
from contract.run import State
from contract.stored import read_fields
from job import checkpoints
from job.budget import check_early, check_rows, cost_of
from job.engine import check_engine
from job.gate import Outcome as GateOutcome
from job.gate import Verdict, check
from job.manifest import Manifest, own_version
from job.promote import promote
from job.reach import check_source, may_read_files
from job.results import (
    draft_manifest,
    event_facts,
    publish_decided,
    read_manifest,
    upload,
    write_outputs,
)
from job.run import Run
from job.sources import Snapshot, extract
from job.team import Left, wait_for_go
from job.training import train

SNAPSHOT = "snapshot.parquet"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the run ended, and what its event says."""

    state: State
    facts: dict[str, Any]


def run_pipeline(run: Run) -> Outcome | Left:
    """Do every step that is not done yet.

    Raises:
        MMMError: with the step's name.
    """
    run.workspace.make()
    finished = read_manifest(run, run.run_id) or publish_decided(run)
    if finished is not None:
        run.log.info("the artifacts are complete already; only promotion and event are left")
        return _promote(run, finished, None)
    if run.settings.task_index == 0:
        check_engine(run.config.training, rscript=run.settings.rscript, r_root=run.settings.r_root)
        check_early(run)
        snapshot = _extract(run)
        verdict = _gate(run, snapshot)
        if verdict.status is GateOutcome.SKIP:
            facts = {"data_quality": verdict.summary(), "cost": cost_of(run)}
            return Outcome(state=State.SKIPPED, facts=facts)
        done = _duplicate(run, snapshot)
        if done is not None:
            return done
    else:
        left = wait_for_go(run)
        if left is not None:
            return left
        snapshot = _extract(run)
        verdict = _gate(run, snapshot)
    check_rows(run, snapshot)
    result = train(run, snapshot)
    if isinstance(result, Left):
        return result
    draft = draft_manifest(run, snapshot, result, _fingerprint(run, snapshot))
    write_outputs(run, draft, verdict)
    return _promote(run, upload(run, draft), verdict)


def _extract(run: Run) -> Snapshot:
    """The run's snapshot: the stored one where there is one, never a second extract."""
    path = run.workspace.snapshot
    with run.trace.step("extract") as detail:
        detail["reused"] = checkpoints.restore(run.store, run.run_id, SNAPSHOT, path)
        if not detail["reused"]:
            if run.settings.task_index > 0:
                raise DataError("task 0 said go, but there is no extract in the store")
            check_source(run)
            snapshot = extract(
                run.config, run_id=run.run_id, to=path, local_annotations=may_read_files(run)
            )
            if not checkpoints.save(run.store, run.run_id, SNAPSHOT, path):
                checkpoints.restore(run.store, run.run_id, SNAPSHOT, path)
        snapshot = Snapshot.load(path)
        detail.update(rows=snapshot.rows, columns=len(snapshot.columns), sha256=snapshot.sha256)
    return snapshot


def _gate(run: Run, snapshot: Snapshot) -> Verdict:
    with run.trace.step("gate") as detail:
        verdict = check(snapshot, run.config, previous=_previous_quality(run))
        detail["verdict"] = verdict.status.value
        document = json.dumps(verdict.to_dict(), indent=2, ensure_ascii=False)
        (run.workspace.output / "data_quality.json").write_text(document)
        if run.settings.task_index == 0:
            run.store.write(layout.quality(run.run_id), document.encode())
        for finding in verdict.worst():
            if finding.outcome is GateOutcome.WARN:
                run.warnings.append(finding.sentence)
                run.log.warning(finding.sentence, check=finding.name)
        verdict.require()
    return verdict


def _previous_quality(run: Run) -> dict[str, Any] | None:
    """What the gate saw in the market's last accepted run."""
    pointer = layout.current(run.config.revision, run.config.market)
    try:
        current = read_fields(run.store.read(pointer).data, "artifacts", path=pointer)
        quality = f"{current['artifacts']}data_quality.json"
        return read_fields(run.store.read(quality).data, path=quality)
    except NotFoundError:
        return None


def _fingerprint(run: Run, snapshot: Snapshot) -> str:
    """Equal for runs that would compute the same: config, data, and what computes."""
    parts = {
        "config": run.request.config_hash,
        "data": snapshot.fingerprint,
        "version": own_version(),
        "image": run.settings.image,
    }
    return sha256_hex(canonical_json(parts))


def _duplicate(run: Run, snapshot: Snapshot) -> Outcome | None:
    """A finished run of the same config and data, unless the request forces a new one."""
    if run.request.force:
        return None
    try:
        path = layout.fingerprint(_fingerprint(run, snapshot))
        other = str(read_fields(run.store.read(path).data, "run_id", path=path)["run_id"])
    except NotFoundError:
        return None
    manifest = None if other == run.run_id else read_manifest(run, other)
    if manifest is None:
        return None
    run.log.info(f"the same config and data were trained in run {other}; nothing to compute")
    facts = {**event_facts(run, manifest), "duplicate_of": other, "cost": cost_of(run)}
    return Outcome(state=State.DUPLICATE, facts=facts)


def _promote(run: Run, manifest: Manifest, verdict: Verdict | None) -> Outcome:
    facts = event_facts(run, manifest)
    if verdict is not None:
        facts["data_quality"] = verdict.summary()
    with run.trace.step("promote") as detail:
        run.lease.confirm()
        if not keep_market(run.store, run.request):
            raise TransientError(f"market `{manifest.market}` was given to another run meanwhile")
        run.announce(facts)
        detail["current"] = promote(
            run.store,
            run_id=manifest.run_id,
            market=manifest.market,
            revision=manifest.revision,
            facts={"best_model": manifest.best_model, "engine": manifest.engine},
        )
    return Outcome(state=State.SUCCEEDED, facts=facts)
