"""The JSON Schemas of configs, messages and manifests, and of what the commands print."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from pydantic import TypeAdapter

from contract.loading import schema as config_schema

# Document -> module and type; a module is imported only for its own schema.
_MODELS: Final = {
    "request": "contract.message:Message",
    "event": "contract.events:Event",
    "manifest": "job.outputs.manifest:Manifest",
    "proposal": "mmm.propose.questions:Proposal",
    "result": "mmm.results:Result",
    "plan": "mmm.plan_document:Plan",
    "check": "mmm.results:Checked",
    "publish": "mmm.results:Published",
    "save": "mmm.results:Saved",
    "status": "mmm.runs:MarketState",
    "run": "mmm.runs:Run",
    "logs": "mmm.logs:Entry",
    "open": "mmm.results:Opened",
    "compare": "mmm.compare.document:Compared",
    "stability": "mmm.stability:Stability",
    "replay": "mmm.replay:Replay",
    "upgrade-check": "mmm.upgrade:Upgraded",
    "export": "mmm.export:Exported",
    "budget": "mmm.budget:WhatIf",
    "decision": "job.outputs.ledger:Decision",
    "pause": "contract.pause:Pause",
    "dead-letters": "mmm.results:DeadLetter",
    "doctor": "mmm.results:Diagnosis",
}


def json_schema(document: str) -> dict[str, Any]:
    """Return the JSON Schema of one of the documents that `mmm schema` names.

    A document that is a command stands for what it prints with --json: one object, or one a line.
    """
    name = {"$id": f"urn:mmm-trainer:schema:{document}"}
    if document == "config":
        return name | config_schema()
    module, _, kind = _MODELS[document].partition(":")
    model = TypeAdapter(getattr(import_module(module), kind)).json_schema()
    return name | {"$schema": "https://json-schema.org/draft/2020-12/schema", **model}
