"""Parse YAML or JSON text into plain data."""

from __future__ import annotations

import re
from typing import Any

import yaml

from contract.exceptions import ConfigError
from contract.printable import short
from contract.strict_json import MAX_DEPTH, check_plain, parse_json

MAX_CONFIG_BYTES = 256 * 1024


KINDS = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list"}


def parse_document(
    text: str | bytes, *, what: str, allowed: str = "a mapping of fields, e.g. `version: 1`"
) -> dict[str, Any]:
    """Return YAML or JSON text as a mapping; `what` and `allowed` are for errors.

    Raises:
        ConfigError: the text is too large, not a mapping, or not plain data.
    """
    if len(text) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{what} has {len(text)} bytes; allowed: at most {MAX_CONFIG_BYTES}")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ConfigError(f"{what} is not UTF-8 text") from None
    document = _json_object(text)
    if document is None:
        document = parse_yaml(text, what=what)
    if not isinstance(document, dict):
        kind = "empty" if document is None else KINDS.get(type(document), "something else")
        raise ConfigError(f"{what} is {kind}; allowed: {allowed}")
    check_plain(document, what)
    return document


def parse_yaml(text: str, *, what: str) -> Any:
    """Return the value of YAML text, which must be plain data: no tags, aliases or repeated keys.

    Raises:
        ConfigError: the text is not valid; the message gives line and column.
    """
    try:
        _check_yaml(text, what)
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506 # nosec B506: a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "unreadable"
        if "nesting depth" in problem:  # libyaml 0.2.6 has a limit of its own, above ours
            problem = f"it is nested deeper than {MAX_DEPTH} levels"
        raise ConfigError(f"{what} is not valid YAML{where}: {problem}") from None
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"{what} is not valid YAML: {error}") from None


def _check_yaml(text: str, what: str) -> None:
    """Check the parser's events before they become a document."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.AliasEvent):
            raise ConfigError(f"{what} uses YAML aliases (`*name`), which are not allowed")
        if tag := getattr(event, "tag", None):
            raise ConfigError(f"{what} uses the YAML tag `{short(tag)}`; allowed: none")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH + 1:
            raise ConfigError(f"{what} is nested deeper than {MAX_DEPTH} levels")


def _json_object(text: str) -> Any:
    """Parse a JSON object much faster than YAML does; return None for any other text."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return parse_json(text)
    except ValueError:
        return None


# libyaml is twenty times faster; a wheel without it has only the pure Python loader.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _PlainLoader(_Loader):  # type: ignore[misc]
    """A safe loader with the scalars of YAML 1.2, which refuses repeated keys.

    YAML 1.1 reads `NO` as false, `1:30` as 90 and `010` as 8; here they are text.
    """

    yaml_implicit_resolvers: dict[str, Any] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool):
                raise yaml.constructor.ConstructorError(
                    None, None, "keys must be plain text", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key `{short(str(key))}` is repeated", key_node.start_mark
                )
            seen.add(key)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


# Tag -> the pattern of its scalars, and the characters that they can begin with.
_SCALARS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    "float": (
        r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    "timestamp": (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", list("0123456789")),
}
for _tag, (_pattern, _first) in _SCALARS.items():
    _PlainLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )
