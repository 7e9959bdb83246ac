"""Checks Terraform files against the provider's schema and against themselves, without Terraform.

`terraform validate` needs the provider's binary; this finds most of what it would: unknown or
missing arguments and blocks, blocks given too often, literals of a wrong type, and references to
variables, their fields, locals, resources and attributes that do not exist. Values of expressions
are not computed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.infra.terraform_source import (
    MARKS,
    Module,
    bare,
    dynamic_blocks,
    is_block,
    object_fields,
    places,
    references,
)

SCHEMA = json.loads((Path(__file__).parent / "google_schema.json").read_text())
_META = {"count", "depends_on", "for_each", "lifecycle", "provider", "dynamic", *MARKS}


def problems(module: Module) -> list[str]:
    """Every fault of a module, each as one sentence that says where."""
    found: list[str] = []
    for kind, types in (("resource", module.resources), ("data", module.data)):
        for type_name, named in types.items():
            for name, body in named.items():
                where = f"{type_name}.{name}"
                schema = SCHEMA[kind].get(type_name)
                if schema is None:
                    found.append(f"{where}: the provider has no {kind} `{type_name}`")
                else:
                    found += block_problems(where, body, schema)
    used = {r for _, value in places(module) for r in references(value)}
    heads = {".".join(re.findall(r"[\w-]+", r)[:2]) for r in used}
    found += [
        f"var.{name} is never used" for name in module.variables if f"var.{name}" not in heads
    ]
    found += [
        f"local.{name} is never used" for name in module.locals if f"local.{name}" not in heads
    ]
    for where, value in places(module):
        found += [f"{where}: {fault}" for fault in reference_problems(module, value)]
    return found


def block_problems(where: str, body: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    """What is wrong with one block's arguments and nested blocks."""
    attributes, blocks = schema["attributes"], schema["blocks"]
    dynamic = dynamic_blocks(body)
    static = {name: value for name, value in body.items() if is_block(value) and name not in _META}
    for name, value in body.items():
        if name in _META or name in static:
            continue
        if name not in attributes:
            hint = "is a block" if name in blocks else "is unknown"
            yield f"{where}: argument `{name}` {hint}"
        elif not fits(value, attributes[name]["type"]):
            yield f"{where}: `{name}` is {value!r}, a {attributes[name]['type']} is needed"
    for name, bodies in [*static.items(), *dynamic]:
        if name not in blocks:
            yield f"{where}: block `{name}` is unknown"
            continue
        if len(bodies) > 1 and not blocks[name]["many"]:
            yield f"{where}: block `{name}` is given {len(bodies)} times"
        for nested in bodies:
            yield from block_problems(f"{where}.{name}", nested, blocks[name])
    given = {*body, *(name for name, _ in dynamic)}
    for name, described in {**attributes, **blocks}.items():
        if described["required"] and name not in given:
            yield f"{where}: `{name}` is missing"


def fits(value: Any, wanted: str) -> bool:
    """Whether a literal fits a type; expressions always do."""
    if value is None or wanted == "any" or (isinstance(value, str) and value.startswith("${")):
        return True
    if isinstance(value, bool):
        return wanted == "bool"
    if isinstance(value, int | float):
        return wanted == "number"
    if isinstance(value, str):
        return wanted == "string"
    if isinstance(value, list):
        inner = re.fullmatch(r"(?:list|set)\((.*)\)", wanted)
        return inner is not None and all(fits(entry, inner.group(1)) for entry in value)
    return wanted.startswith("map(")


def reference_problems(module: Module, value: Any) -> Iterator[str]:
    """References below a value that lead nowhere."""
    for reference in sorted(set(references(value))):
        parts = re.findall(r"[A-Za-z_][\w-]*", re.sub(r"\[[^\[\]]*\]", "", reference))
        head, rest = parts[0], parts[1:]
        if head == "var":
            yield from variable_problems(module, reference, rest)
        elif head == "local":
            if rest[0] not in module.locals:
                yield f"`{reference}`: there is no such local"
        elif head == "data":
            yield from attribute_problems(module.data, "data", reference, rest)
        elif head.startswith(("google_", "time_")):
            yield from attribute_problems(module.resources, "resource", reference, parts)


def variable_problems(module: Module, reference: str, rest: list[str]) -> Iterator[str]:
    """Whether a variable and the field named after it exist."""
    variable = module.variables.get(rest[0])
    if variable is None:
        yield f"`{reference}`: there is no such variable"
    elif len(rest) > 1 and str(variable["type"]).startswith("${object("):
        fields = object_fields(variable["type"])
        if rest[1] not in fields:
            yield f"`{reference}`: the variable has {', '.join(sorted(fields))}"


def attribute_problems(
    known: dict[str, dict[str, Any]], kind: str, reference: str, rest: list[str]
) -> Iterator[str]:
    """Whether a resource or data source and its attribute exist."""
    if len(rest) < 2 or rest[1] not in known.get(rest[0], {}):
        yield f"`{reference}`: there is no such {kind}"
    elif len(rest) > 2 and (schema := SCHEMA[kind].get(rest[0])):
        names = {*schema["attributes"], *schema["blocks"], *schema["exports"]}
        if rest[2] not in names:
            yield f"`{reference}`: `{rest[0]}` has no `{rest[2]}`"


def call_problems(where: str, arguments: dict[str, Any], module: Module) -> Iterator[str]:
    """What is wrong with a call of the module: names and fields, not values."""
    given = {name: value for name, value in arguments.items() if name not in _META}
    for name in sorted(given.keys() - module.variables.keys() - {"source", "version"}):
        yield f"{where}: the module has no variable `{name}`"
    for name, variable in module.variables.items():
        if name not in given:
            if "default" not in variable:
                yield f"{where}: `{name}` is missing"
            continue
        if "object({" not in str(variable["type"]) or not isinstance(given[name], dict):
            continue
        fields = object_fields(variable["type"])
        is_map = str(variable["type"]).startswith("${map(")
        for entry in given[name].values() if is_map else [given[name]]:
            keys = {bare(key) for key in entry} - MARKS
            yield from (
                f"{where}.{name}: unknown field `{key}`" for key in sorted(keys - {*fields})
            )
            missing = sorted(
                key for key, required in fields.items() if required and key not in keys
            )
            yield from (f"{where}.{name}: `{key}` is missing" for key in missing)
