"""Terraform files as python-hcl2 reads them: their blocks, and what their expressions refer to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hcl2

MARKS = {"__is_block__", "__comments__", "__inline_comments__"}
_TRAVERSAL = re.compile(r"(?<![\w.\"-])([A-Za-z_]\w*)((?:\.[A-Za-z_][\w-]*|\[[^\[\]]*\])+)")


@dataclass
class Module:
    """The blocks of a folder's Terraform files."""

    resources: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    data: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    locals: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)


def load(folder: Path) -> Module:
    """Parse the folder's own *.tf files."""
    module = Module()
    for file in sorted(folder.glob("*.tf")):
        read_into(module, hcl2.loads(file.read_text()))
    return module


def read_into(module: Module, document: dict[str, Any]) -> None:
    """Add a parsed file's blocks to a module."""
    for target, key in ((module.resources, "resource"), (module.data, "data")):
        for block in document.get(key, []):
            for type_name, named in block.items():
                for name, body in named.items():
                    target.setdefault(bare(type_name), {})[bare(name)] = body
    for target, key in (
        (module.variables, "variable"),
        (module.outputs, "output"),
        (module.calls, "module"),
    ):
        for block in document.get(key, []):
            target.update({bare(name): body for name, body in block.items()})
    for block in document.get("locals", []):
        module.locals.update({k: v for k, v in block.items() if k not in MARKS})


def bare(text: str) -> str:
    """A label without its quotes."""
    return text.strip('"')


def is_block(value: Any) -> bool:
    """Whether a parsed value is a list of blocks."""
    return isinstance(value, list) and any(
        isinstance(entry, dict) and entry.get("__is_block__") for entry in value
    )


def dynamic_blocks(body: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Names and contents of the `dynamic` blocks; how often each comes is not known."""
    return [
        (bare(label), dynamic["content"])
        for entry in body.get("dynamic", [])
        for label, dynamic in entry.items()
        if label not in MARKS
    ]


def places(module: Module) -> Iterator[tuple[str, Any]]:
    """Everything that may hold references, with its name."""
    for kind, types in (("", module.resources), ("data.", module.data)):
        for type_name, named in types.items():
            for name, body in named.items():
                yield f"{kind}{type_name}.{name}", body
    for name, value in module.locals.items():
        yield f"local.{name}", value
    for name, body in module.outputs.items():
        yield f"output.{name}", body
    for name, body in module.variables.items():
        yield f"var.{name}", body.get("validation", [])


def references(value: Any) -> Iterator[str]:
    """All traversals (`var.name`, `google_x.y.z`) below a parsed value."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from references(key)
            yield from references(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from references(entry)
    elif isinstance(value, str):
        for code in code_parts(value):
            yield from (match.group(0) for match in _TRAVERSAL.finditer(code))
            for inner in re.findall(r"\[([^\[\]\"]+)\]", code):
                yield from (match.group(0) for match in _TRAVERSAL.finditer(inner))


def code_parts(text: str) -> Iterator[str]:
    """The expressions in a value's text: what stands outside of quotes or in `${...}`."""
    depth, quoted, part = 0, [], []
    i = 0
    while i < len(text):
        character = text[i]
        if quoted and quoted[-1] == depth:  # inside a string
            if character == "\\":
                i += 2
                continue
            if text.startswith("${", i):
                depth += 1
                i += 2
                continue
            if character == '"':
                quoted.pop()
            i += 1
            continue
        if character == '"':
            quoted.append(depth)
            part.append(" ")
        elif character == "{":
            depth += 1
            part.append(character)
        elif character == "}":
            depth -= 1
            part.append(" ")
        else:
            part.append(character)
        i += 1
    yield "".join(part)


def object_fields(text: str) -> dict[str, bool]:
    """The fields of `${object({...})}` (or of a map of them), and whether each is required."""
    depth, flat = 1, []
    for character in text[text.index("object({") + len("object({") :]:
        depth += (character in "({[") - (character in ")}]")
        if depth == 0:
            break
        flat.append(character if depth == 1 else " ")
    found = re.findall(r"(\w+)\s*=\s*(optional\b)?", "".join(flat))
    return {name: not optional for name, optional in found}
