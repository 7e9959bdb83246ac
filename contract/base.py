"""The base of every model in the contract: it refuses unknown keys, and its values are frozen."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contract.faults import Fault, refuse

NOT_YET = {"x-supported": False}


def later(default: Any, *, description: str) -> Any:
    """Declare a field of the contract that this version does not support yet."""
    return Field(
        default=default,
        description=f"{description} Not supported yet.",
        json_schema_extra=dict(NOT_YET),
    )


class Strict(BaseModel):
    """A frozen model that refuses unknown keys and fields that are not supported yet."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @model_validator(mode="after")
    def _refuse_unsupported(self) -> Self:
        found = []
        for name, default in _unsupported(type(self)):
            if name in self.model_fields_set and getattr(self, name) != default:
                found.append(Fault(at=(name,), problem="is not supported yet; leave it out"))
        refuse(found)
        return self


@cache
def _unsupported(model: type[BaseModel]) -> list[tuple[str, Any]]:
    """Return the names and defaults of a model's fields that are not supported yet."""
    return [
        (name, field.get_default(call_default_factory=True))
        for name, field in sorted(model.model_fields.items())
        if field.json_schema_extra == NOT_YET
    ]


def canonical_json(value: Any) -> bytes:
    """Return equal JSON bytes for equal values: sorted keys, no spaces, UTF-8."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()
