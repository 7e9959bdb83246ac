"""From text to a checked config, with the origin of every value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from contract.config import Config
from contract.documents import parse_document
from contract.exceptions import ConfigError
from contract.explain import Problem, name_of, problems
from contract.faults import Place
from contract.printable import short
from contract.strict_json import check_plain
from contract.training import PRESETS, Preset


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A config and the origin of each value (`preset test`, `default`, a file, …).

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
    option: str | None = None,
) -> Resolved:
    """Check a config given as text or as a mapping, and merge overrides into it key by key.

    Args:
        raw: the config.
        origin: where it comes from, e.g. a file's name.
        overrides: values that replace the config's.
        option: the option of a command that sets overrides, e.g. `--set`; errors name it.

    Raises:
        ConfigError: one sentence per fault, each with field, value and what is allowed.
    """
    document = parse_document(raw, what=origin) if isinstance(raw, str | bytes) else dict(raw)
    check_plain(document, origin)
    check_plain(overrides or {}, "an override")
    merged = _merge(document, overrides or {})
    try:
        config = Config.model_validate(merged)
    except ValidationError as error:
        found = problems(error, Config)
        if overrides:
            shown = [_of_override(problem, overrides, option) for problem in found.shown]
            found = replace(found, shown=shown)
        raise ConfigError(found.sentences()) from None
    except RecursionError:
        raise ConfigError(f"{origin} is nested too deeply") from None
    values = config.model_dump(mode="json")
    origins = _origins(values, document, overrides or {}, origin)
    return Resolved(config=config, values=values, origins=origins)


def _of_override(problem: Problem, overrides: Mapping[str, Any], option: str | None) -> Problem:
    """Begin a sentence with the override that wrote the value, if one did."""
    value: Any = overrides
    place: Place = ()
    for part in problem.place:
        if not isinstance(value, Mapping) or part not in value:
            break
        place, value = (*place, part), value[part]
    if not place or (isinstance(value, Mapping) and value):
        return problem
    what = f"{option} {name_of(place)}={short(str(value))}" if option else "overrides"
    return Problem(place=problem.place, sentence=f"`{what}`: {problem.sentence}")


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `over`: mappings key by key, everything else whole."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings as (`training.trials`, 3); plain lists are leaves."""
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
    """Return the origin of each resolved leaf: what wrote it, or a value above it."""
    origins: dict[str, str] = {}

    def walk(value: Any, path: str, over: Any, wrote: Any) -> None:
        children = _children(value)
        if children is None:
            from_document = origin if _is_whole(wrote) else "default"
            origins[path] = "override" if _is_whole(over) else from_document
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


_NOTHING: Any = object()  # no value was written here or above


def _children(value: Any) -> dict[Any, Any] | None:
    """Return the parts that `flatten` descends to; None for a leaf."""
    if isinstance(value, dict):
        return value or None
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return dict(enumerate(value))
    return None


def _child(parent: Any, children: dict[Any, Any] | None, key: Any) -> Any:
    """Return what was written at a key: nothing, a part, or the plain value above it."""
    return parent if children is None else children.get(key, _NOTHING)


def _is_whole(written: Any) -> bool:
    return written is not _NOTHING and _children(written) is None


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a config, for editors."""
    made = Config.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "MMM Trainer config",
        **{key: value for key, value in made.items() if key != "title"},
    }
