"""The JSON Schemas of configs, requests, events, manifests, proposals and comparisons."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from contract.events import Event
from contract.loading import schema as config_schema
from contract.message import Message


def json_schema(document: str) -> dict[str, Any]:
    """Return the JSON Schema of one of the documents that `mmm schema` names."""
    name = {"$id": f"urn:mmm-trainer:schema:{document}"}
    if document == "config":
        return name | config_schema()
    from job.outputs.manifest import Manifest
    from mmm.compare.document import Compared
    from mmm.propose.questions import Proposal

    models: dict[str, type[BaseModel]] = {
        "request": Message,
        "event": Event,
        "manifest": Manifest,
        "proposal": Proposal,
        "compare": Compared,
    }
    model = models[document].model_json_schema()
    return name | {"$schema": "https://json-schema.org/draft/2020-12/schema", **model}
