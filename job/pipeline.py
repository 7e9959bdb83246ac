"""The steps of a run: extract, gate, train and posterior, verdict, outputs, upload, promote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from contract import layout
from contract.damage import unless_damaged
from contract.exceptions import DamagedError, DataError, TransientError
from contract.market import keep_market
from contract.run import State, now
from job.attempt import checkpoints
from job.attempt.context import Attempt
from job.attempt.tasks import LeftRun, wait_for_inputs
from job.cost.budget import check_early, check_rows, cost_of
from job.gate import Outcome, Verdict, check
from job.gate.previous import previous_quality
from job.outputs.decide import decide
from job.outputs.duplicate import fingerprint, finished_run, remember
from job.outputs.ledger import JOB, Action, Decision, record
from job.outputs.manifest import Manifest, read_manifest
from job.outputs.promote import promote
from job.outputs.step import (
    draft_manifest,
    event_facts,
    publish_decided,
    upload,
    write_outputs,
)
from job.posterior.step import posterior
from job.sources import Snapshot, extract
from job.sources.local_files import check_source, may_read_files
from job.train.engine import check_engine
from job.train.holidays import check_country
from job.train.step import train
from job.verdict.step import give_verdict

SNAPSHOT = "snapshot.parquet"


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """How the run ended, and the facts of its event."""

    state: State
    facts: dict[str, Any]


def run_pipeline(attempt: Attempt) -> RunResult | LeftRun:
    """Run every step that is not done yet.

    Raises:
        MMMError: a step failed; the error has the step's name.
    """
    attempt.workspace.make()
    config = attempt.config
    own = read_manifest(attempt.store, config.revision, config.market, attempt.run_id)
    finished = own or publish_decided(attempt)
    if finished is not None:
        attempt.log.info("the artifacts are already complete; only promotion and event remain")
        return _promote(attempt, finished, None)
    if attempt.settings.task_index == 0:
        settings = attempt.settings
        check_country(attempt.config)
        check_engine(attempt.config, rscript=settings.rscript, r_root=settings.r_root)
        check_early(attempt)
        snapshot = _extract(attempt)
        verdict = _gate(attempt, snapshot)
        if verdict.status is Outcome.SKIP:
            facts = {"data_quality": verdict.summary(), "cost": cost_of(attempt)}
            return RunResult(state=State.SKIPPED, facts=facts)
        duplicate = _duplicate(attempt, snapshot)
        if duplicate is not None:
            return duplicate
    else:
        left = wait_for_inputs(
            attempt.store,
            attempt.run_id,
            execution=attempt.settings.execution,
            stop=attempt.stop,
        )
        if left is not None:
            return left
        snapshot = _extract(attempt)
        verdict = _gate(attempt, snapshot)
    check_rows(attempt, snapshot)
    with posterior(attempt, snapshot) as write_posterior:
        result = train(attempt, snapshot)
        if isinstance(result, LeftRun):
            return result
        write_posterior()
    give_verdict(attempt, snapshot)
    draft = draft_manifest(attempt, snapshot, result, _fingerprint(attempt, snapshot))
    write_outputs(attempt, draft, verdict)
    return _promote(attempt, upload(attempt, draft), verdict)


def _extract(attempt: Attempt) -> Snapshot:
    """Return the run's snapshot; a stored one is used, so that no run extracts twice."""
    path = attempt.workspace.snapshot
    with attempt.trace.step("extract") as detail:
        detail["reused"] = checkpoints.restore(attempt.store, attempt.run_id, SNAPSHOT, path)
        if not detail["reused"]:
            if attempt.settings.task_index > 0:
                raise DataError("task 0 has finished the extract, but it is not in the store")
            local_files = may_read_files(attempt.request.origin.via, attempt.store.url)
            check_source(
                attempt.config.source,
                local_files=local_files,
                data_folder=attempt.settings.data_folder,
            )
            extract(attempt.config, run_id=attempt.run_id, to=path, local_annotations=local_files)
            attempt.check()
            if not checkpoints.save(attempt.store, attempt.run_id, SNAPSHOT, path):
                checkpoints.restore(attempt.store, attempt.run_id, SNAPSHOT, path)
        try:
            snapshot = Snapshot.load(path)
        except DataError as error:
            raise DamagedError(layout.work(attempt.run_id, SNAPSHOT), error.message) from None
        detail.update(rows=snapshot.rows, columns=len(snapshot.columns), sha256=snapshot.sha256)
    return snapshot


def _gate(attempt: Attempt, snapshot: Snapshot) -> Verdict:
    with attempt.trace.step("gate") as detail:
        verdict = check(
            snapshot, attempt.config, previous=previous_quality(attempt.store, attempt.config)
        )
        detail["verdict"] = verdict.status.value
        document = json.dumps(verdict.to_dict(), indent=2, ensure_ascii=False)
        (attempt.workspace.output / "data_quality.json").write_text(document)
        if attempt.settings.task_index == 0:
            attempt.check()
            attempt.store.write(layout.quality(attempt.run_id), document.encode())
        for finding in verdict.problems():
            if finding.outcome is Outcome.WARN:
                attempt.warnings.append(finding.sentence)
                attempt.log.warning(finding.sentence, check=finding.name)
        verdict.require()
    return verdict


def _fingerprint(attempt: Attempt, snapshot: Snapshot) -> str:
    return fingerprint(
        snapshot, config_hash=attempt.request.config_hash, image=attempt.settings.image
    )


def _duplicate(attempt: Attempt, snapshot: Snapshot) -> RunResult | None:
    """Return the result of a run that computed the same, unless the request forces a new one."""
    if attempt.request.force:
        return None
    config = attempt.config
    digest = _fingerprint(attempt, snapshot)
    manifest = finished_run(attempt.store, digest, revision=config.revision, market=config.market)
    if manifest is None or manifest.run_id == attempt.run_id:
        return None
    other = manifest.run_id
    facts = unless_damaged(
        lambda: event_facts(attempt.store, manifest), None, then="the data is trained again"
    )
    if facts is None:
        return None
    attempt.log.info(f"run {other} trained the same config and data; nothing to compute")
    facts |= {"duplicate_of": other, "cost": cost_of(attempt)}
    return RunResult(state=State.DUPLICATE, facts=facts)


def _promote(attempt: Attempt, manifest: Manifest, verdict: Verdict | None) -> RunResult:
    """Make the run its market's current one, or hold it."""
    facts = event_facts(attempt.store, manifest)
    if verdict is not None:
        facts["data_quality"] = verdict.summary()
    with attempt.trace.step("promote") as detail:
        attempt.lease.confirm()
        if not keep_market(attempt.store, attempt.request):
            raise TransientError(f"market `{manifest.market}` was taken by another run")
        compared = decide(attempt.store, attempt.config, manifest, facts["best_model"])
        facts["drift"] = compared.to_dict()
        if compared.reasons:
            detail["held"] = len(compared.reasons)
            for reason in compared.reasons:
                attempt.log.warning(f"the run is held: {reason}")
            attempt.check()
            _record(attempt, Action.HOLD, facts)
            return RunResult(state=State.HELD, facts=facts)
        attempt.announce(facts)
        attempt.check()
        detail["current"] = promote(
            attempt.store,
            run_id=manifest.run_id,
            market=manifest.market,
            revision=manifest.revision,
            accepted_at=attempt.request.accepted_at,
            facts={"best_model": manifest.best_model, "engine": manifest.engine},
        )
        _record(attempt, Action.PROMOTE, facts)
        remember(attempt.store, manifest.fingerprint, manifest.run_id)
    return RunResult(state=State.SUCCEEDED, facts=facts)


def _record(attempt: Attempt, action: Action, facts: dict[str, Any]) -> None:
    """Write the job's decision into the ledger."""
    reasons = facts["drift"]["reasons"]
    against = facts["drift"]["against"]
    within = f"within the tolerances of run {against}" if against else "the first run of its market"
    record(
        attempt.store,
        Decision(
            run_id=attempt.run_id,
            market=attempt.config.market,
            revision=attempt.config.revision,
            action=action,
            by=JOB,
            at=now(),
            reason="; ".join(reasons) or within,
            evidence={
                name: facts[name] for name in ("verdict", "drift", "manifest_sha256") if facts[name]
            },
        ),
    )
