"""From text to a checked config, with the origin of every value and errors for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from contract.config import Config
from contract.exceptions import ConfigError
from contract.printable import short
from contract.strict_json import MAX_DEPTH, check_plain, parse_json
from contract.suggest import did_you_mean
from contract.training import PRESETS, Preset

MAX_CONFIG_BYTES = 256 * 1024
MAX_FAULTS = 20


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A config and where each of its values comes from (`preset test`, `default`, a file, …).

    `values` is the config as it is stored.
    """

    config: Config
    values: dict[str, Any]
    origins: dict[str, str]


def load_config(
    raw: str | bytes | Mapping[str, Any],
    *,
    origin: str = "config",
    overrides: Mapping[str, Any] | None = None,
) -> Resolved:
    """Check a config given as text or as a mapping, overrides merged into it key by key.

    Raises:
        ConfigError: one sentence per fault, each naming field, value and what is allowed.
    """
    document = parse_document(raw, what=origin) if isinstance(raw, str | bytes) else dict(raw)
    check_plain(document, origin)
    check_plain(overrides or {}, "an override")
    merged = _merge(document, overrides or {})
    try:
        config = Config.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(explain(error, Config, merged)) from None
    except RecursionError:
        raise ConfigError(f"{origin} is nested too deeply") from None
    values = config.model_dump(mode="json")
    origins = _origins(values, document, overrides or {}, origin)
    return Resolved(config=config, values=values, origins=origins)


def parse_document(text: str | bytes, *, what: str) -> dict[str, Any]:
    """YAML or JSON (which is YAML) as a mapping; tags, aliases and other documents are refused."""
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
        kind = type(document).__name__
        raise ConfigError(f"{what} is a {kind}; allowed: a mapping of fields, e.g. `version: 1`")
    check_plain(document, what)
    return document


def parse_yaml(text: str, *, what: str) -> Any:
    """A value in YAML: plain data, written out; no tags, aliases, or keys that stand twice.

    Raises:
        ConfigError: where it is not, and why.
    """
    try:
        _check_yaml(text, what)
        return yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 # nosec B506: a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "unreadable"
        raise ConfigError(f"{what} is not valid YAML{where}: {problem}") from None
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"{what} is not valid YAML: {error}") from None


def _check_yaml(text: str, what: str) -> None:
    """Look through the text, event by event, before anything is made of it."""
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
    """What YAML would make of plain JSON, many times as fast; None leaves the text to YAML."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return parse_json(text)
    except ValueError:
        return None


# libyaml reads the same twenty times as fast; a wheel without it has the other.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeyLoader(_Loader):  # type: ignore[misc]
    """A safe loader that refuses the same key twice, where YAML would take the last silently."""

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
                    None, None, f"the key `{key}` stands twice", key_node.start_mark
                )
            seen.add(key)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


def explain(
    error: ValidationError, model: type[BaseModel], document: Mapping[str, Any]
) -> list[str]:
    """One sentence per fault: field, value, what is allowed, the nearest match; the first few."""
    faults = error.errors(include_url=False)
    sentences = [_sentence(fault, model) for fault in faults[:MAX_FAULTS]]
    if len(faults) > MAX_FAULTS:
        sentences.append(f"There are {len(faults) - MAX_FAULTS} more faults.")
    return list(dict.fromkeys(sentences))


def _sentence(fault: Any, model: type[BaseModel]) -> str:
    path = path_of(fault["loc"])
    kind, value, context = fault["type"], fault.get("input"), fault.get("ctx", {})
    if kind == "extra_forbidden":
        name, siblings = str(fault["loc"][-1]), _fields_at(model, fault["loc"][:-1])
        hint = did_you_mean(name, siblings) or f" Allowed: {', '.join(sorted(siblings))}."
        return f"`{path}` is not a known field.{hint}"
    if kind == "missing":
        return f"`{path}` is missing; it must be given."
    if kind in ("enum", "literal_error"):
        allowed = [
            part.strip().strip("'")
            for part in str(context["expected"]).replace(" or ", ", ").split(",")
        ]
        return (
            f"`{path}` is {_show(value)}; allowed: {', '.join(allowed)}."
            f"{did_you_mean(str(value), allowed)}"
        )
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        allowed = [p.strip().strip("'") for p in str(context.get("expected_tags", "")).split(",")]
        tag = context.get("tag")
        given = f"`{path}.type` is {_show(tag)}" if tag else f"`{path}.type` is missing"
        tail = f"; allowed: {', '.join(allowed)}." if tag else f"; {path} must say its type."
        return f"{given}{tail}{did_you_mean(str(tag), allowed) if tag else ''}"
    if kind == "value_error":
        message = str(context.get("error", fault["msg"]))
        return f"`{path}`: {message}." if path else f"{message}."
    if kind == "string_pattern_mismatch":
        return f"`{path}` is {_show(value)}; allowed: {_in_words(str(context['pattern']))}."
    message = fault["msg"][0].lower() + fault["msg"][1:]
    return f"`{path}` is {_show(value)}; {message}."


def _in_words(pattern: str) -> str:
    """What a name may hold, for the few patterns of the contract."""
    if "$" in pattern[1:-1]:
        return "a table as NAME, SCHEMA.NAME or DATABASE.SCHEMA.NAME"
    if "x00" in pattern:
        return "text without control characters"
    also = (
        "`_` and `-`"
        if "-" in pattern.replace("A-Z", "").replace("a-z", "").replace("0-9", "")
        else "`_`"
    )
    start = "a letter or digit" if pattern.startswith("^[A-Za-z0-9]") else "a letter"
    return f"letters, digits, {also}, {start} first, at most 63 characters"


def path_of(loc: tuple[int | str, ...]) -> str:
    """`channels[0].spend` from ('channels', 0, 'spend'), union tags left out."""
    text = ""
    for previous, part in zip((None, *loc), loc, strict=False):
        if isinstance(part, int):
            text += f"[{part}]"
        elif previous == "source" and part in _source_models():
            continue
        else:
            name = short(part)
            text += f".{name}" if text else name
    return text


def _show(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return f"`{short(text)}`"


def _source_models() -> dict[str, type[BaseModel]]:
    from contract import source

    models = (source.FileSource, source.DuckDBSource, source.SnowflakeSource, source.BigQuerySource)
    return {str(m.model_fields["type"].annotation.__args__[0]): m for m in models}  # type: ignore[union-attr]


def _fields_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Names of the fields that are allowed at a place."""
    current: Any = model
    for previous, part in zip((None, *loc), loc, strict=False):
        if isinstance(part, int):
            continue
        if previous == "source" and part in _source_models():
            current = _source_models()[str(part)]
            continue
        field = getattr(current, "model_fields", {}).get(str(part))
        if field is None:
            return []
        found = list(_models_in(field.annotation))
        current = found[0] if found else None
    return list(getattr(current, "model_fields", {}))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`: mappings key by key, everything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of nested mappings as (`training.trials`, 3); lists of plain values are leaves."""
    if isinstance(value, Mapping) and value:
        for key, child in value.items():
            yield from flatten(child, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for index, child in enumerate(value):
            yield from flatten(child, f"{path}[{index}]")
    else:
        yield path, value


def _origins(
    values: dict[str, Any], document: Mapping[str, Any], overrides: Mapping[str, Any], origin: str
) -> dict[str, str]:
    """Where each leaf of the resolved values comes from: whoever wrote it, or a value above it."""
    origins: dict[str, str] = {}

    def walk(value: Any, path: str, over: Any, wrote: Any) -> None:
        children = _children(value)
        if children is None:
            said = "override" if _is_whole(over) else origin if _is_whole(wrote) else "default"
            origins[path] = said
            return
        overs, wrotes = _children(over), _children(wrote)
        for key, child in children.items():
            name = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}" if path else key
            walk(child, name, _child(over, overs, key), _child(wrote, wrotes, key))

    walk(values, "", dict(overrides) or _NOTHING, dict(document) or _NOTHING)
    if origins["training.preset"] != "default":
        for name in PRESETS[Preset.TEST]:
            if origins.get(f"training.{name}") == "default":
                origins[f"training.{name}"] = f"preset {values['training']['preset']}"
    return origins


_NOTHING: Any = object()  # was written here, or above


def _children(value: Any) -> dict[Any, Any] | None:
    """What `flatten` goes into; None for a leaf."""
    if isinstance(value, dict):
        return value or None
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return dict(enumerate(value))
    return None


def _child(parent: Any, children: dict[Any, Any] | None, key: Any) -> Any:
    """What was written at a key: nothing, a part, or the plain value that stands above it."""
    return parent if children is None else children.get(key, _NOTHING)


def _is_whole(written: Any) -> bool:
    return written is not _NOTHING and _children(written) is None


def schema() -> dict[str, Any]:
    """JSON Schema of a config, for editors."""
    made = TypeAdapter(Config).json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "MMM Trainer config",
        **{key: value for key, value in made.items() if key != "title"},
    }
