"""Write the generated parts of docs/, or check that they are as the code says (`--check`)."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import typer.main

from job.outputs.tables import DESCRIPTIONS, SCHEMAS
from mmm.commands import app
from mmm.commands.schema import DOCUMENTS
from mmm.schemas import json_schema

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
NOTE = "<!-- Made by `make docs`; edit the code instead. -->\n\n"
CHECKS_BEGIN = "<!-- checks: made by `make docs` from examples/faults.py -->"
CHECKS_END = "<!-- end of checks -->"
BENCH = re.compile(r"(<!-- begin (bench/\S+\.md) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Write or check; returns the exit code."""
    check = "--check" in sys.argv[1:]
    stale = []
    made = documents()
    if not check:  # takes seconds; tests/unit/gate holds it against the gate
        made["data.md"] = data_guide()
    for name, text in made.items():
        file = DOCS / name
        if check:
            if not file.is_file() or file.read_text() != text:
                stale.append(name)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    for name in stale:
        print(f"docs/{name} is not as the code says; run `make docs`")
    return 1 if stale else 0


def documents() -> dict[str, str]:
    """Every generated document by its name."""
    made = {
        f"{name}.schema.json": json.dumps(json_schema(name), indent=2) + "\n" for name in DOCUMENTS
    }
    return made | {
        "cli.md": cli_reference(),
        "config.md": config_reference(),
        "engine.md": engine_guide(),
        "tables.md": tables_reference(),
    }


def data_guide() -> str:
    """Return the guide to data with the gate's findings for every seeded fault."""
    sys.path.insert(0, str(ROOT))  # the examples are not part of the installed package
    from examples.faults import entry, findings

    text = (DOCS / "data.md").read_text()
    before, _, rest = text.partition(CHECKS_BEGIN)
    _, _, after = rest.partition(CHECKS_END)
    lines = []
    for name, group in groupby(findings(), key=lambda pair: pair[0].name):
        lines += [f"\n`{name}`\n", *(entry(fault, finding) for fault, finding in group)]
    return "\n".join([before + CHECKS_BEGIN, *lines, "\n" + CHECKS_END + after])


def engine_guide() -> str:
    """The guide to the engine, its tables those that the benchmarks wrote."""

    def table(found: re.Match[str]) -> str:
        begin, source, end = found.groups()
        _title, _, body = (ROOT / source).read_text().partition("\n")
        return begin + body.strip() + "\n" + end

    return BENCH.sub(table, (DOCS / "engine.md").read_text())


def cli_reference() -> str:
    """Help of every command, as `--help` prints it."""
    group: Any = typer.main.get_command(app)
    width = {"terminal_width": 90, "max_content_width": 90}
    whole = group.context_class(group, info_name="mmm", **width, **group.context_settings)
    parts = [f"{NOTE}# The command line\n\n```\n{group.get_help(whole).rstrip()}\n```\n"]
    for name, command in group.commands.items():
        context = command.context_class(command, info_name=name, parent=whole, **width)
        parts.append(f"## `mmm {name}`\n\n```\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(parts)


def tables_reference() -> str:
    """Columns of every result table."""
    parts = [
        f"{NOTE}# The result tables\n",
        "Parquet files in `tables/` of a run's artifacts, the same for both engines. BigQuery",
        "loads them as they are; every row names its run, market and revision.\n",
    ]
    for name, schema in SCHEMAS.items():
        parts += [
            f"## `{name}`\n",
            f"{DESCRIPTIONS[name]}\n",
            "| column | type | meaning |",
            "|---|---|---|",
        ]
        for field in schema:
            meaning = (field.metadata or {}).get(b"description", b"").decode()
            parts.append(f"| `{field.name}` | {field.type} | {meaning} |")
        parts.append("")
    return "\n".join(parts)


def config_reference() -> str:
    """Every field of a config with type, default and meaning."""
    schema = json_schema("config")
    lines = [
        f"{NOTE}# The config\n",
        "One YAML or JSON file describes one market's model; unknown keys are refused. Editors",
        "can check it with [config.schema.json](config.schema.json); `mmm plan CONFIG` shows each",
        "value and where it comes from.\n",
        "| field | type | default | meaning |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{path}` | {kind} | {default} | {meaning} |"
        for path, kind, default, meaning in _fields(schema, schema, "")
    ]
    presets = "\n".join(_presets())
    return "\n".join(lines) + f"\n\n## Presets\n\n{presets}\n"


def _presets() -> Iterator[str]:
    from contract.training import PRESETS

    yield "| `training.preset` | iterations | trials |"
    yield "|---|---|---|"
    for preset, values in PRESETS.items():
        yield f"| `{preset.value}` | {values['iterations']} | {values['trials']} |"


def _fields(
    schema: dict[str, Any], root: dict[str, Any], prefix: str
) -> Iterator[tuple[str, str, str, str]]:
    required = set(schema.get("required", []))
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        variants = list(_variants(field, root))
        objects = [v for v in variants if "properties" in v]
        items = [
            deeper
            for v in variants
            if v.get("type") == "array"
            for deeper in _variants(v.get("items", {}), root)
            if "properties" in deeper
        ]
        default = "required" if name in required else f"`{json.dumps(field.get('default'))}`"
        meaning = field.get("description", "") or _summary([*objects, *items])
        if objects:
            default = "required" if name in required else "see below"
        yield path, _kind(variants, root), default, meaning.replace("\n", " ").replace("|", "\\|")
        for deeper in objects:
            tag = deeper["properties"].get("type", {}).get("const")
            yield from _fields(deeper, root, f"{path}({tag})." if tag else f"{path}.")
        for deeper in items:
            yield from _fields(deeper, root, f"{path}[].")


def _summary(variants: list[dict[str, Any]]) -> str:
    texts = [str(v.get("description", "")).split("\n\n")[0] for v in variants]
    return texts[0] if len(texts) == 1 else ""


def _variants(field: dict[str, Any], root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in field:
        yield from _variants(root["$defs"][field["$ref"].rsplit("/", 1)[-1]], root)
        return
    for key in ("anyOf", "oneOf", "allOf"):
        if key in field:
            for option in field[key]:
                yield from _variants(option, root)
            return
    yield field


def _kind(variants: list[dict[str, Any]], root: dict[str, Any]) -> str:
    kinds = []
    for variant in variants:
        if "enum" in variant:
            kinds.append(", ".join(f"`{value}`" for value in variant["enum"]))
        elif "const" in variant:
            kinds.append(f"`{variant['const']}`")
        elif variant.get("type") == "array":
            inner = _kind(list(_variants(variant.get("items", {}), root)), root)
            kinds.append(f"list of {inner}")
        elif variant.get("format") == "date":
            kinds.append("date")
        elif "properties" in variant or variant.get("type") == "object":
            kinds.append("mapping")
        elif variant.get("type") != "null":
            kinds.append(
                {"string": "text", "integer": "whole number"}.get(
                    variant.get("type", ""), variant.get("type", "any")
                )
            )
    return " or ".join(dict.fromkeys(kinds))


if __name__ == "__main__":
    sys.exit(main())
