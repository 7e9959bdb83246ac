"""A Cloud Function that tells a lineage service of each run, as OpenLineage events.

It takes the events of the topic `mmm-events`. Its environment:

    OPENLINEAGE_URL      the service, e.g. https://marquez.example.com
    OPENLINEAGE_API_KEY  a key, if the service asks for one
    OPENLINEAGE_NAMESPACE  the namespace of the jobs; by default mmm-trainer

A run is a START and a COMPLETE, FAIL or ABORT. If the service does not take them, the function
fails and Pub/Sub delivers the event again; the ids of runs stay the same.
"""

from __future__ import annotations

import base64
import json
import os
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

PRODUCER = "urn:mmm-trainer"
SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
ERROR = "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json"
ENDS = {
    "SUCCEEDED": "COMPLETE", "HELD": "COMPLETE", "DUPLICATE": "COMPLETE", "SKIPPED": "ABORT",
    "CANCELLED": "ABORT", "FAILED": "FAIL", "REJECTED": "FAIL",
}  # fmt: skip
SECONDS = 10.0


@functions_framework.cloud_event
def on_event(delivery: CloudEvent) -> None:
    """Send the events of one run."""
    event = json.loads(base64.b64decode(delivery.data["message"]["data"]))
    for one in run_events(event, os.environ.get("OPENLINEAGE_NAMESPACE", "mmm-trainer")):
        send(os.environ["OPENLINEAGE_URL"], one)


def run_events(event: dict[str, Any], namespace: str) -> Iterator[dict[str, Any]]:
    """Yield the OpenLineage events of a run."""
    data, end = event["data"], datetime.fromisoformat(event["time"])
    begin = end - timedelta(seconds=data.get("duration_seconds") or 0.0)
    market, revision = data.get("market") or "unknown", data.get("revision") or "unknown"
    run: dict[str, Any] = {"runId": str(uuid.uuid5(uuid.NAMESPACE_URL, event["subject"]))}
    same = {
        "job": {"namespace": namespace, "name": f"{market}.{revision}"},
        "producer": PRODUCER, "schemaURL": SCHEMA,
    }  # fmt: skip
    yield {"eventType": "START", "eventTime": begin.isoformat(), "run": run, **same}
    if error := data.get("error"):
        fault = {"_producer": PRODUCER, "_schemaURL": ERROR, "programmingLanguage": "Python"}
        run = {**run, "facets": {"errorMessage": {**fault, "message": error["message"]}}}
    outputs = []
    if artifacts := data.get("artifacts_uri"):
        bucket, _, path = artifacts.removeprefix("gs://").partition("/")
        outputs = [{"namespace": f"gs://{bucket}", "name": path.rstrip("/")}]
    kind = ENDS[data["state"]]
    yield {
        "eventType": kind, "eventTime": end.isoformat(), "run": run, "outputs": outputs, **same,
    }  # fmt: skip


def send(url: str, event: dict[str, Any]) -> None:
    """Post an event; raise an error if the service does not take it."""
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("OPENLINEAGE_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    body = json.dumps(event).encode()
    address = f"{url.rstrip('/')}/api/v1/lineage"
    request = urllib.request.Request(address, body, headers)  # noqa: S310  set by the deployer
    urllib.request.urlopen(request, timeout=SECONDS).close()  # noqa: S310
