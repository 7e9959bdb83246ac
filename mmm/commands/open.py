"""`mmm open RUN`: open a run's report in the browser."""

from __future__ import annotations

from mmm.commands.common import DEFAULT_BUCKET, AsJson, Bucket, CurrentRun, Revision, report_errors


def command(
    run: CurrentRun,
    revision: Revision = "r1",
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: AsJson = False,
) -> None:
    """Open a run's report in the browser.

    Downloads the report to a temporary file and prints its path.

    Examples: mmm open DE; mmm open 20261123T020000Z-1a2b3c4d --bucket gs://BUCKET
    """
    import json
    import tempfile
    import webbrowser
    from pathlib import Path

    from contract.stores import open_store
    from mmm import artifacts
    from mmm.runs import find

    with report_errors(as_json=as_json):
        store = open_store(bucket)
        found = find(store, run, revision=revision)
        report = artifacts.read(store, found, "report.html")
    file = Path(tempfile.mkdtemp(prefix="mmm-report-")) / f"{found.run_id}.html"
    file.write_bytes(report)
    print(json.dumps({"run_id": found.run_id, "path": str(file)}) if as_json else file)
    webbrowser.open(file.as_uri())
