"""Turn R's results into a finished run: tables, report, upload, manifest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from contract import layout
from contract.base import sha256_hex
from contract.config import Config
from contract.exceptions import ArtifactError, DeniedError, ServiceError
from contract.run import State, now
from contract.stored import read_fields
from contract.stores import Store
from contract.stores.atomic import create
from contract.verdict import summary
from job.attempt.context import Attempt
from job.cost.budget import cost_of
from job.gate import Verdict
from job.outputs.decide import decide
from job.outputs.manifest import DataFacts, Manifest, versions
from job.outputs.tables import tables_to_parquet
from job.outputs.upload import upload_all
from job.sources import Snapshot


def draft_manifest(
    attempt: Attempt, snapshot: Snapshot, result: dict[str, Any], fingerprint: str
) -> Manifest:
    """Return the manifest without artifacts, because nothing is uploaded yet."""
    training = attempt.config.training
    seconds = json.loads((attempt.workspace.output / "timings.json").read_text())
    timings = {f"r.{name}": value for name, value in seconds.items()}
    return Manifest(
        run_id=attempt.run_id,
        market=attempt.config.market,
        revision=attempt.config.revision,
        state=State.SUCCEEDED,
        created_at=now(),
        engine=result["engine"],
        search=result["search"],
        selfcheck=result.get("selfcheck") or None,
        best_model=result["best_model"],
        seed=training.seed,
        trials=training.trials,
        iterations=training.iterations,
        trial_iterations=result["trial_iterations"],
        cores=attempt.cores,
        config_hash=attempt.request.config_hash,
        fingerprint=fingerprint,
        data=DataFacts(
            rows=snapshot.rows,
            columns=list(snapshot.columns),
            sha256=snapshot.sha256,
            first_date=str(snapshot.first_date),
            last_date=str(snapshot.last_date),
            source=snapshot.source,
            sql=list(snapshot.sql),
            annotations=snapshot.annotations.to_json() if snapshot.annotations else None,
        ),
        versions=versions(image=attempt.settings.image, result=result),
        timings=timings,
        steps=attempt.trace.as_list(),
        cost=cost_of(attempt, timings),
        warnings=list(attempt.warnings),
        artifacts=[],
    )


def write_outputs(attempt: Attempt, draft: Manifest, verdict: Verdict) -> None:
    """Write Parquet tables, resolved config, report and summary.

    The extract is written too if the config says so. The report compares the run with the market's
    current one as it is now; `promote` decides later.
    """
    output = attempt.workspace.output
    with attempt.trace.step("outputs") as detail:
        columns = {
            "run_id": attempt.run_id,
            "market": attempt.config.market,
            "revision": attempt.config.revision,
        }
        detail["tables"] = len(tables_to_parquet(output, columns))
        if attempt.config.outputs.include_data:
            shutil.copyfile(attempt.workspace.snapshot, output / "data.parquet")
        (output / "config.resolved.yaml").write_text(
            yaml.safe_dump(
                attempt.config.model_dump(mode="json"), sort_keys=False, allow_unicode=True
            )
        )
        facts = draft.model_dump(mode="json", exclude={"artifacts"})
        facts |= {"robyn": draft.versions.robyn, "steps": attempt.trace.as_list()}
        metrics = json.loads((output / "metrics.json").read_text())
        drift = decide(attempt.store, attempt.config, draft, metrics).to_dict()
        _write_report(
            output,
            config=attempt.config,
            run=facts,
            metrics=metrics,
            quality=verdict.to_dict(),
            drift=drift,
        )


def upload(attempt: Attempt, draft: Manifest) -> Manifest:
    """Upload everything, decide on a manifest, and write it as the last object.

    An owner that slept until its lease expired does no harm: it replaces only objects that existed
    before it confirmed the lease, and the lease records the chosen manifest.
    """
    prefix = layout.artifacts(draft.revision, draft.market, draft.run_id)
    with attempt.trace.step("upload") as detail:
        there = {info.path: info.generation for info in attempt.store.list(prefix)}
        attempt.lease.confirm()
        attempt.check()
        artifacts = upload_all(attempt.store, attempt.workspace.output, prefix=prefix, there=there)
        detail.update(files=len(artifacts), bytes=sum(artifact.bytes for artifact in artifacts))
        manifest = draft.model_copy(
            update={
                "artifacts": artifacts,
                "steps": attempt.trace.as_list(),
                "cost": cost_of(attempt, draft.timings),
                "created_at": now(),
            }
        )
        content = manifest.to_json()
        decided = layout.work(attempt.run_id, f"manifest-{sha256_hex(content)[:16]}.json")
        attempt.store.write(decided, content)
        attempt.lease.confirm(manifest=decided)
        attempt.check()
        _publish(attempt, manifest)
    return manifest


def publish_decided(attempt: Attempt) -> Manifest | None:
    """Write and return the manifest that an earlier owner of the lease decided on, if any."""
    if attempt.lease.manifest is None:
        return None
    manifest = Manifest.from_json(
        attempt.store.read(attempt.lease.manifest).data, path=attempt.lease.manifest
    )
    attempt.check()
    _publish(attempt, manifest)
    return manifest


def _publish(attempt: Attempt, manifest: Manifest) -> None:
    """Write the manifest."""
    path = layout.manifest(manifest.revision, manifest.market, manifest.run_id)
    content = manifest.to_json()
    try:
        created = create(attempt.store, path, content)
    except DeniedError as error:
        raise DeniedError(f"the manifest cannot be written: {error}") from None
    except ServiceError as error:
        raise ArtifactError(f"the manifest cannot be written: {error}") from None
    if not created and attempt.store.read(path).data != content:
        raise ArtifactError(f"`{path}` was written by another process")


def event_facts(store: Store, manifest: Manifest) -> dict[str, Any]:
    """Return the facts of a finished run's event."""
    path = layout.artifacts(manifest.revision, manifest.market, manifest.run_id)
    stored = store.read(layout.manifest(manifest.revision, manifest.market, manifest.run_id)).data
    metrics = read_fields(store.read(f"{path}metrics.json").data, path=f"{path}metrics.json")
    return {
        "artifacts_uri": f"{store.url}/{path}",
        "report_uri": f"{store.url}/{path}report.html",
        "summary_uri": f"{store.url}/{path}summary.html",
        "manifest_sha256": sha256_hex(stored),
        "engine": manifest.engine,
        "verdict": summary(metrics.get("verdict")),
        "best_model": metrics,
        "cost": manifest.cost,
        "warnings": list(manifest.warnings)[:20],
    }


def _write_report(
    output: Path,
    *,
    config: Config,
    run: Mapping[str, Any],
    metrics: Mapping[str, Any],
    quality: Mapping[str, Any],
    drift: Mapping[str, Any],
) -> None:
    """Write `report.html` and `summary.html` from the files of the output folder.

    `run` is the manifest's content.
    """
    from job.report import ReportInputs, render_report, render_summary  # slow: Altair

    files = sorted(p.relative_to(output).as_posix() for p in output.rglob("*") if p.is_file())
    inputs = ReportInputs(
        tables=output / "tables",
        metrics=metrics,
        config=config,
        run=run,
        quality=quality,
        drift=drift,
        files=["summary.html", *files],
    )
    (output / "report.html").write_text(render_report(inputs), encoding="utf-8")
    (output / "summary.html").write_text(render_summary(inputs), encoding="utf-8")
