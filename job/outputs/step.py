"""From R's results to a finished run: tables, report, upload, manifest."""

from __future__ import annotations

import json
import shutil
from typing import Any

import yaml

from contract import layout
from contract.base import canonical_json, sha256_hex
from contract.exceptions import ArtifactError, NotFoundError, PreconditionError, ServiceError
from contract.run import State, now
from contract.stored import read_fields
from job.attempt.context import Run
from job.cost.budget import cost_of
from job.gate import Verdict
from job.outputs.files import tables_to_parquet, write_report
from job.outputs.manifest import DataFacts, Manifest, versions
from job.outputs.upload import upload_all
from job.sources import Snapshot


def draft_manifest(
    run: Run, snapshot: Snapshot, result: dict[str, Any], fingerprint: str
) -> Manifest:
    """The manifest without its artifacts, which do not lie anywhere yet."""
    training = run.config.training
    seconds = json.loads((run.workspace.output / "timings.json").read_text())
    timings = {f"r.{name}": value for name, value in seconds.items()}
    return Manifest(
        run_id=run.run_id,
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
        trial_iterations=result["trial_iterations"],
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
            annotations=snapshot.annotations.to_json() if snapshot.annotations else None,
        ),
        versions=versions(image=run.settings.image, result=result),
        timings=timings,
        steps=run.trace.as_list(),
        cost=cost_of(run, timings),
        warnings=list(run.warnings),
        artifacts=[],
    )


def write_outputs(run: Run, draft: Manifest, verdict: Verdict) -> None:
    """Parquet tables, the resolved config, the report, and the extract where it is asked for."""
    output = run.workspace.output
    with run.trace.step("outputs") as detail:
        columns = {
            "run_id": run.run_id,
            "market": run.config.market,
            "revision": run.config.revision,
        }
        detail["tables"] = len(tables_to_parquet(output, columns))
        if run.config.outputs.include_data:
            shutil.copyfile(run.workspace.snapshot, output / "data.parquet")
        (output / "config.resolved.yaml").write_text(
            yaml.safe_dump(run.config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        )
        facts = draft.model_dump(mode="json", exclude={"artifacts"})
        facts |= {"robyn": draft.versions.robyn, "steps": run.trace.as_list()}
        write_report(output, config=run.config, run=facts, quality=verdict.to_dict())


def upload(run: Run, draft: Manifest) -> Manifest:
    """Upload everything, decide on a manifest, write it as the last object.

    An owner who slept through its lease can do no harm: what it writes goes only over what lay
    there before it confirmed the lease, and a manifest is decided on in the lease itself.
    """
    prefix = layout.artifacts(draft.revision, draft.market, draft.run_id)
    with run.trace.step("upload") as detail:
        there = {info.path: info.generation for info in run.store.list(prefix)}
        run.lease.confirm()
        artifacts = upload_all(run.store, run.workspace.output, prefix=prefix, there=there)
        detail.update(files=len(artifacts), bytes=sum(artifact.bytes for artifact in artifacts))
        manifest = draft.model_copy(
            update={
                "artifacts": artifacts,
                "steps": run.trace.as_list(),
                "cost": cost_of(run, draft.timings),
                "created_at": now(),
            }
        )
        content = manifest.to_json()
        decided = layout.work(run.run_id, f"manifest-{sha256_hex(content)[:16]}.json")
        run.store.write(decided, content)
        run.lease.confirm(manifest=decided)
        _publish(run, manifest)
    return manifest


def publish_decided(run: Run) -> Manifest | None:
    """Write the manifest that an earlier owner of the lease decided on; None if there is none."""
    if run.lease.manifest is None:
        return None
    manifest = Manifest.from_json(run.store.read(run.lease.manifest).data, path=run.lease.manifest)
    _publish(run, manifest)
    return manifest


def _publish(run: Run, manifest: Manifest) -> None:
    """Write the manifest, then the entry by which duplicates are found."""
    path = layout.manifest(manifest.revision, manifest.market, manifest.run_id)
    content = manifest.to_json()
    try:
        run.store.write(path, content, if_generation=0)
    except PreconditionError:
        if run.store.read(path).data != content:
            raise ArtifactError(f"`{path}` was written by somebody else") from None
    except ServiceError as error:
        raise ArtifactError(f"the manifest cannot be written: {error}") from None
    entry = {"run_id": manifest.run_id, "at": now().isoformat()}
    run.store.write(layout.fingerprint(manifest.fingerprint), canonical_json(entry))


def read_manifest(run: Run, run_id: str) -> Manifest | None:
    """The manifest of a finished run of the same market and revision."""
    path = layout.manifest(run.config.revision, run.config.market, run_id)
    try:
        return Manifest.from_json(run.store.read(path).data, path=path)
    except NotFoundError:
        return None


def event_facts(run: Run, manifest: Manifest) -> dict[str, Any]:
    """What the event says of a finished run."""
    path = layout.artifacts(manifest.revision, manifest.market, manifest.run_id)
    stored = run.store.read(
        layout.manifest(manifest.revision, manifest.market, manifest.run_id)
    ).data
    metrics = read_fields(run.store.read(f"{path}metrics.json").data, path=f"{path}metrics.json")
    return {
        "artifacts_uri": f"{run.store.url}/{path}",
        "report_uri": f"{run.store.url}/{path}report.html",
        "manifest_sha256": sha256_hex(stored),
        "engine": manifest.engine,
        "best_model": metrics,
        "cost": manifest.cost,
        "warnings": list(manifest.warnings)[:20],
    }
