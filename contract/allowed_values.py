"""Describe the values that a field allows, from the JSON Schema of its model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from contract.faults import Place
from contract.text import IN_WORDS

SHOWN = 8  # the most names in one sentence


class Node:
    """One place of a JSON Schema: the schemas that apply there, without `null`."""

    def __init__(self, root: Mapping[str, Any], *schemas: Mapping[str, Any]) -> None:
        self.root = root
        self.tags: dict[str, str] = {}
        self.schemas = [found for schema in schemas for found in self._resolved(schema)]

    def _resolved(self, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        if "$ref" in schema:
            yield from self._resolved(self.root["$defs"][schema["$ref"].rsplit("/", 1)[-1]])
            return
        self.tags |= schema.get("discriminator", {}).get("mapping", {})
        options = schema.get("anyOf") or schema.get("oneOf")
        if options is None:
            if schema.get("type") != "null":
                yield schema
            return
        for option in options:
            yield from self._resolved(option)

    def below(self, part: str | int) -> Node | None:
        """Return the node of an item or field, None if it does not exist."""
        for schema in self.schemas:
            if isinstance(part, int):
                found = schema.get("items")
            else:
                found = schema.get("properties", {}).get(part) or _values(schema)
            if found is not None:
                return Node(self.root, found)
        return None


def locate(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[Place, Node]:
    """Return the place and node of a pydantic `loc`, without pydantic's labels of unions."""
    root = _schema(model)
    node, place = Node(root, root), []
    for part in loc:
        if part in node.tags:
            node = Node(root, {"$ref": node.tags[str(part)]})
            continue
        if part == "[key]" or (isinstance(part, str) and _is_label(node)):
            continue
        place.append(part)
        node = node.below(part) or Node(root)
    return tuple(place), node


def fields_of(node: Node) -> list[str]:
    """Return the names of the fields that a place can have."""
    return list(dict.fromkeys(name for s in node.schemas for name in s.get("properties", {})))


def tags_of(node: Node) -> list[str]:
    """Return the tags of a union of models, e.g. the types of a source."""
    return list(node.tags)


def one_of(node: Node) -> list[str]:
    """Return the allowed values of an enum; an empty list if any text is allowed."""
    return [
        str(value)
        for schema in node.schemas
        for value in schema.get("enum", [schema["const"]] if "const" in schema else [])
    ]


def is_text(node: Node) -> bool:
    """Return whether only text is allowed."""
    return bool(node.schemas) and all(
        schema.get("type") == "string" and "format" not in schema for schema in node.schemas
    )


def words(node: Node) -> str:
    """Describe the allowed values; return an empty string for an unknown place."""
    if node.tags:
        return f"a mapping with a `type`, which is one of {', '.join(tags_of(node))}"
    return " or ".join(dict.fromkeys(_words(schema, node.root) for schema in node.schemas))


def size(node: Node) -> str:
    """Describe the allowed number of items of a list."""
    return " or ".join(filter(None, map(_number_of_items, node.schemas)))


def _words(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if "enum" in schema or "const" in schema:
        return ", ".join(str(value) for value in schema.get("enum", [schema.get("const")]))
    if kind in ("integer", "number"):
        return f"a {'whole ' if kind == 'integer' else ''}number{_range(schema)}"
    if kind == "boolean":
        return "true or false"
    if kind == "string":
        return _text(schema)
    if kind == "array":
        return _list(schema, root)
    if kind == "object":
        fields = list(schema.get("properties", {}))
        if not fields:
            return "a mapping of names to values"
        more = ", …" if len(fields) > SHOWN else ""
        return f"a mapping with the fields {', '.join(fields[:SHOWN])}{more}"
    return ""


def _text(schema: Mapping[str, Any]) -> str:
    if schema.get("format") == "date":
        return "a date, e.g. 2024-12-30"
    if schema.get("format") == "date-time":
        return "a time with a time zone, e.g. 2024-12-30T06:00:00Z"
    text = IN_WORDS.get(schema.get("pattern", ""), "text")
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if "at most" in text or (not least and most is None):
        return text
    length = f"at most {most}" if not least else f"{least} to {most}"
    what, example, shown = text.partition(", e.g. ")
    return f"{what}, {length} characters{example}{shown}"


def _list(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    number = _number_of_items(schema)
    items = words(Node(root, schema.get("items", {})))
    text = f"a list of {number}" if number else "a list"
    return f"{text}, each {items}" if items else text


def _number_of_items(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    if most is None:
        return f"at least {least} items" if least else ""
    return f"{least} to {most} items" if least else f"at most {most} items"


def _range(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {_number(low)} to {_number(high)}"
    parts = []
    if low is not None or above is not None:
        parts.append(f"from {_number(low)}" if low is not None else f"above {_number(above)}")
    if high is not None or below is not None:
        parts.append(f"at most {_number(high)}" if high is not None else f"below {_number(below)}")
    return f" {' and '.join(parts)}" if parts else ""


def _number(value: Any) -> str:
    return f"{int(value)}" if value == int(value) else f"{value:g}"


def _values(schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the schema of a mapping's values if any name is allowed."""
    found = schema.get("additionalProperties")
    if not isinstance(found, Mapping):
        found = next(iter(schema.get("patternProperties", {}).values()), None)
    return found if isinstance(found, Mapping) else None


def _is_label(node: Node) -> bool:
    """Return whether text below the node can only be pydantic's label for a part of a union."""
    return len(node.schemas) > 1 and not any(
        schema.get("type") in ("object", "array") for schema in node.schemas
    )


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()
