"""`mmm schema`: the JSON Schemas of everything that passes between the parts."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer
from pydantic import BaseModel

from contract.events import Event
from contract.loading import schema as config_schema
from contract.message import Message


class Which(StrEnum):
    """The documents that have a schema."""

    CONFIG = "config"
    REQUEST = "request"
    EVENT = "event"
    MANIFEST = "manifest"


def command(which: Annotated[Which, typer.Argument(help="Which document.")] = Which.CONFIG) -> None:
    """Print a JSON Schema, for editors and consumers."""
    print(json.dumps(json_schema(which), indent=2))


def json_schema(which: Which) -> dict[str, Any]:
    """The JSON Schema of a document."""
    if which is Which.CONFIG:
        return config_schema()
    from job.outputs.manifest import Manifest

    models: dict[Which, type[BaseModel]] = {
        Which.REQUEST: Message,
        Which.EVENT: Event,
        Which.MANIFEST: Manifest,
    }
    model = models[which].model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model}
