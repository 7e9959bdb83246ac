"""The steps of a run: extract → gate → train → outputs → upload → promote."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet as pq
import yaml

from contract import layout
from contract.base import canonical_json, sha256_hex
from contract.config import Config
from contract.exceptions import ArtifactError, NotFoundError, PreconditionError
from contract.request import Request
from contract.run import State, now
from contract.stores import Store
from job import checkpoints
from job.artifacts import upload_all
from job.gate import Outcome as GateOutcome
from job.gate import Verdict, check
from job.holidays_table import UnknownCountryError, holidays_table
from job.logs import Log
from job.manifest import DataFacts, Manifest, own_version, versions
from job.outputs import tables_to_parquet, write_report
from job.promote import promote
from job.r_job import Workspace, available_cores, holiday_country, r_job
from job.settings import Settings
from job.sources import Snapshot, extract
from job.trace import Trace
from job.train import run_r


@dataclass(kw_only=True)
class Run:
    """What one attempt works with."""

    request: Request
    config: Config
    settings: Settings
    store: Store
    workspace: Workspace
    trace: Trace
    log: Log
    on_progress: Callable[[dict[str, Any]], None]
    stop: Callable[[], str | None]
    warnings: list[str] = field(default_factory=list)

    @property
    def cores(self) -> int:
        """Trial processes."""
        return self.config.training.cores or available_cores()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the run ended, and what its event says."""

    state: State
    facts: dict[str, Any]


def run_pipeline(run: Run) -> Outcome:
    """Do every step that is not done yet.

    Raises:
        MMMError: with the step's name.
    """
    run.workspace.make()
    finished = _finished_manifest(run)
    if finished is not None:
        run.log.info("the artifacts are complete already; only promotion and event are left")
        return _promote(run, finished)
    snapshot = _extract(run)
    verdict = _gate(run, snapshot)
    if verdict.status is GateOutcome.SKIP:
        return Outcome(state=State.SKIPPED, facts={"data_quality": verdict.summary()})
    fingerprint = _fingerprint(run, snapshot)
    done = _duplicate(run, fingerprint)
    if done is not None:
        return done
    result = _train(run, snapshot)
    draft = _draft(run, snapshot, result, fingerprint)
    _outputs(run, draft, verdict)
    manifest = _upload(run, draft)
    return _promote(run, manifest, verdict)


def _extract(run: Run) -> Snapshot:
    """The run's snapshot: the stored one where an earlier attempt has made it."""
    run_id, path = run.request.run_id, run.workspace.snapshot
    with run.trace.step("extract") as detail:
        detail["reused"] = checkpoints.restore(run.store, run_id, "snapshot.parquet", path)
        if detail["reused"]:
            snapshot = Snapshot.load(path)
        else:
            snapshot = extract(run.config, run_id=run_id, to=path)
            if not checkpoints.save(run.store, run_id, "snapshot.parquet", path):
                checkpoints.restore(run.store, run_id, "snapshot.parquet", path)
                snapshot = Snapshot.load(path)
        detail.update(rows=snapshot.rows, columns=len(snapshot.columns), sha256=snapshot.sha256)
    return snapshot


def _gate(run: Run, snapshot: Snapshot) -> Verdict:
    with run.trace.step("gate") as detail:
        verdict = check(snapshot, run.config, previous=_previous_quality(run))
        detail["verdict"] = verdict.status.value
        _write_json(run.workspace.output / "data_quality.json", verdict.to_dict())
        for finding in verdict.worst():
            if finding.outcome is GateOutcome.WARN:
                run.warnings.append(finding.sentence)
                run.log.warning(finding.sentence, check=finding.name)
        verdict.require()
    return verdict


def _previous_quality(run: Run) -> dict[str, Any] | None:
    """What the gate saw in the market's last accepted run."""
    try:
        current = json.loads(
            run.store.read(layout.current(run.config.revision, run.config.market)).data
        )
        return dict(json.loads(run.store.read(f"{current['artifacts']}data_quality.json").data))
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


def _duplicate(run: Run, fingerprint: str) -> Outcome | None:
    """A finished run of the same config and data, unless the request forces a new one."""
    if run.request.force:
        return None
    try:
        entry = json.loads(run.store.read(layout.fingerprint(fingerprint)).data)
    except NotFoundError:
        return None
    other = str(entry["run_id"])
    if other == run.request.run_id:
        return None
    try:
        blob = run.store.read(layout.manifest(run.config.revision, run.config.market, other))
    except NotFoundError:
        return None
    run.log.info(f"the same config and data were trained in run {other}; nothing to compute")
    manifest = Manifest.model_validate(json.loads(blob.data))
    facts = _facts(run, manifest, run_id=other)
    return Outcome(state=State.DUPLICATE, facts={**facts, "duplicate_of": other})


def _train(run: Run, snapshot: Snapshot) -> dict[str, Any]:
    """Inputs, trials and outputs in one R process; finished trials are kept as they come."""
    workspace, run_id = run.workspace, run.request.run_id
    with run.trace.step("train") as detail:
        holidays = _write_holidays(run, snapshot)
        _write_csv(workspace)
        window = (
            str(run.config.date.window_start or snapshot.first_date),
            str(run.config.date.window_end or snapshot.last_date),
        )
        job = r_job(
            run.config,
            run_id=run_id,
            workspace=workspace,
            cores=run.cores,
            holidays=holidays,
            window=window,
        )
        _write_json(workspace.job_json, job)
        detail["resumed_trials"] = len(
            checkpoints.restore_trials(run.store, run_id, workspace.trials)
        )

        def on_progress(record: dict[str, Any]) -> None:
            if record.get("type") == "checkpoint":
                file = Path(record["path"])
                checkpoints.save(run.store, run_id, f"trials/{file.name}", file)
                run.log.info(f"trial {record.get('trial')} is done and kept")
            run.on_progress(record)

        result = run_r(
            workspace,
            r_root=run.settings.r_root,
            rscript=run.settings.rscript,
            log=run.log,
            on_progress=on_progress,
            stop=run.stop,
        )
        run.warnings.extend(str(warning) for warning in result.get("warnings") or [])
        detail.update(
            engine=result["engine"],
            search=result["search"],
            best_model=result["best_model"],
            trials=run.config.training.trials,
            iterations=run.config.training.iterations,
        )
    return result


def _outputs(run: Run, draft: Manifest, verdict: Verdict) -> None:
    """Parquet tables, the resolved config and the report."""
    output = run.workspace.output
    with run.trace.step("outputs") as detail:
        columns = {
            "run_id": run.request.run_id,
            "market": run.config.market,
            "revision": run.config.revision,
        }
        detail["tables"] = len(tables_to_parquet(output, columns))
        (output / "config.resolved.yaml").write_text(
            yaml.safe_dump(run.config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        )
        facts = draft.model_dump(mode="json", exclude={"artifacts"})
        facts |= {"robyn": draft.versions.robyn, "steps": run.trace.as_list()}
        write_report(output, config=run.config, run=facts, quality=verdict.to_dict())


def _upload(run: Run, draft: Manifest) -> Manifest:
    config, request = run.config, run.request
    with run.trace.step("upload") as detail:
        artifacts = upload_all(
            run.store,
            run.workspace.output,
            revision=config.revision,
            market=config.market,
            run_id=request.run_id,
        )
        detail.update(files=len(artifacts), bytes=sum(artifact.bytes for artifact in artifacts))
        manifest = draft.model_copy(
            update={"artifacts": artifacts, "steps": run.trace.as_list(), "created_at": now()}
        )
        path = layout.manifest(config.revision, config.market, request.run_id)
        try:
            run.store.write(path, manifest.to_json(), if_generation=0)
        except PreconditionError:
            raise ArtifactError(f"`{path}` was written by another attempt meanwhile") from None
        entry = {"run_id": request.run_id, "at": now().isoformat()}
        run.store.write(layout.fingerprint(draft.fingerprint), canonical_json(entry))
    return manifest


def _draft(run: Run, snapshot: Snapshot, result: dict[str, Any], fingerprint: str) -> Manifest:
    """The manifest without its artifacts, which do not lie anywhere yet."""
    training = run.config.training
    timings = json.loads((run.workspace.output / "timings.json").read_text())
    return Manifest(
        run_id=run.request.run_id,
        market=run.config.market,
        revision=run.config.revision,
        state=State.SUCCEEDED,
        created_at=now(),
        engine=result["engine"],
        search=result["search"],
        selfcheck=result.get("selfcheck") or None,
        best_model=result["best_model"],
        seed=training.seed,
        trials=training.trials,
        iterations=training.iterations,
        cores=run.cores,
        config_hash=run.request.config_hash,
        fingerprint=fingerprint,
        data=DataFacts(
            rows=snapshot.rows,
            columns=list(snapshot.columns),
            sha256=snapshot.sha256,
            first_date=str(snapshot.first_date),
            last_date=str(snapshot.last_date),
            source=snapshot.source,
            sql=list(snapshot.sql),
        ),
        versions=versions(image=run.settings.image, result=result),
        timings={f"r.{name}": seconds for name, seconds in timings.items()},
        steps=run.trace.as_list(),
        warnings=run.warnings,
        artifacts=[],
    )


def _promote(run: Run, manifest: Manifest, verdict: Verdict | None = None) -> Outcome:
    facts = _facts(run, manifest, run_id=manifest.run_id)
    if verdict is not None:
        facts["data_quality"] = verdict.summary()
    with run.trace.step("promote") as detail:
        detail["current"] = promote(
            run.store,
            run_id=manifest.run_id,
            market=manifest.market,
            revision=manifest.revision,
            facts={"best_model": facts["best_model"], "engine": manifest.engine},
        )
    return Outcome(state=State.SUCCEEDED, facts=facts)


def _facts(run: Run, manifest: Manifest, *, run_id: str) -> dict[str, Any]:
    """What the event says of a finished run."""
    path = layout.artifacts(manifest.revision, manifest.market, run_id)
    stored = run.store.read(layout.manifest(manifest.revision, manifest.market, run_id)).data
    metrics = json.loads(run.store.read(f"{path}metrics.json").data)
    return {
        "artifacts_uri": f"{run.store.url}/{path}",
        "report_uri": f"{run.store.url}/{path}report.html",
        "manifest_sha256": sha256_hex(stored),
        "engine": manifest.engine,
        "best_model": metrics,
        "warnings": list(manifest.warnings)[:20],
    }


def _finished_manifest(run: Run) -> Manifest | None:
    """The manifest that an earlier attempt of this very run wrote."""
    path = layout.manifest(run.config.revision, run.config.market, run.request.run_id)
    try:
        return Manifest.model_validate(json.loads(run.store.read(path).data))
    except NotFoundError:
        return None


def _write_csv(workspace: Workspace) -> None:
    """The snapshot as R reads it: ISO dates, shortest text that gives the same double."""
    table = pq.read_table(workspace.snapshot)
    pyarrow.csv.write_csv(table, workspace.data_csv)


def _write_holidays(run: Run, snapshot: Snapshot) -> bool:
    """The country's holidays for prophet; False where the config does without them."""
    if "holiday" not in [variable.value for variable in run.config.training.prophet]:
        return False
    country = holiday_country(run.config)
    try:
        table = holidays_table(country, snapshot.first_date, snapshot.last_date)
    except UnknownCountryError:
        if run.config.training.holidays:
            raise
        text = f"market `{country}` is no country; prophet works without holidays"
        run.log.warning(f"{text} (set `training.holidays` to choose a country)")
        run.warnings.append(text)
        return False
    table.to_csv(run.workspace.holidays_csv, index=False)
    return True


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, default=str, ensure_ascii=False))
