"""The JSON Schemas of configs, messages and manifests, and of what the commands print."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from contract.events import Event
from contract.loading import schema as config_schema
from contract.message import Message


def json_schema(document: str) -> dict[str, Any]:
    """Return the JSON Schema of one of the documents that `mmm schema` names.

    A document that is a command stands for what it prints with --json: one object, or one a line.
    """
    name = {"$id": f"urn:mmm-trainer:schema:{document}"}
    if document == "config":
        return name | config_schema()
    model = TypeAdapter(_models()[document]).json_schema()
    return name | {"$schema": "https://json-schema.org/draft/2020-12/schema", **model}


def _models() -> dict[str, Any]:
    from contract.pause import Pause
    from job.outputs.ledger import Decision
    from job.outputs.manifest import Manifest
    from mmm import results
    from mmm.budget import WhatIf
    from mmm.compare.document import Compared
    from mmm.export import Exported
    from mmm.logs import Entry
    from mmm.plan_document import Plan
    from mmm.propose.questions import Proposal
    from mmm.replay import Replay
    from mmm.runs import MarketState, Run
    from mmm.stability import Stability
    from mmm.upgrade import Upgraded

    return {
        "request": Message,
        "event": Event,
        "manifest": Manifest,
        "proposal": Proposal,
        "result": results.Result,
        "plan": Plan,
        "check": results.Checked,
        "publish": results.Published,
        "save": results.Saved,
        "status": MarketState,
        "run": Run,
        "logs": Entry,
        "open": results.Opened,
        "compare": Compared,
        "stability": Stability,
        "replay": Replay,
        "upgrade-check": Upgraded,
        "export": Exported,
        "budget": WhatIf,
        "decision": Decision,
        "pause": Pause,
        "dead-letters": results.DeadLetter,
        "doctor": results.Diagnosis,
    }
