"""Make `google_schema.json`: arguments and blocks of the providers' resources that `infra/` uses.

    pip download cdktn-provider-google==21.1.0 cdktn-provider-time==14.0.2 --no-deps --dest /tmp/cdktn
    python -m tests.infra.make_google_schema /tmp/cdktn/*.whl

A wheel describes every resource of one version of a provider (its bindings are generated from the
provider's own schema); only names, types and what is required are kept.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import tarfile
import zipfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
INFRA = HERE.parent.parent / "infra"
OUT = HERE / "google_schema.json"
META = {"count", "connection", "depends_on", "for_each", "lifecycle", "provider", "provisioners"}


def used_types(folder: Path = INFRA) -> dict[str, list[str]]:
    """Types of the resources and data sources in a folder's Terraform files."""
    text = "\n".join(file.read_text() for file in sorted(folder.rglob("*.tf")))
    return {
        "data": sorted(set(re.findall(r'^data "(\w+)"', text, re.M))),
        "resource": sorted(set(re.findall(r'^resource "(\w+)"', text, re.M))),
    }


def read_assembly(wheel: Path) -> tuple[dict[str, Any], str]:
    """The wheel's type descriptions by name, and the provider's version."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(archive.read(name))) as package:
            types = json.load(package.extractfile("package/.jsii"))["types"]  # type: ignore[arg-type]
            facts = json.load(package.extractfile("package/package.json"))  # type: ignore[arg-type]
    return types, facts["cdktf"]["provider"]["version"]


class Trimmer:
    """Turns the assembly's interfaces into nested {attributes, blocks}."""

    def __init__(self, types: dict[str, Any]) -> None:
        self._types = types
        self._configs: dict[str, str] = {}
        for name, described in types.items():
            if described["kind"] == "class" and (base := described.get("base", "")):
                kind = {"cdktn.TerraformResource": "resource", "cdktn.TerraformDataSource": "data"}
                if base in kind:
                    self._configs[f"{kind[base]}:{documented_type(described)}"] = name

    def top(self, kind: str, type_name: str) -> dict[str, Any]:
        """A resource's or data source's schema, with the names of what it exports."""
        name = self._configs[f"{kind}:{type_name}"]
        schema = self._block(f"{name}Config")
        known = {*schema["attributes"], *schema["blocks"]}
        exported = {
            snake_case(p["name"])
            for p in self._types[name].get("properties", [])
            if not p.get("static") and not p["name"].endswith("Input")
        }
        return {**schema, "exports": sorted(exported - known)}

    def _block(self, fqn: str) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        blocks: dict[str, Any] = {}
        for p in self._types[fqn].get("properties", []):
            name = terraform_name(p)
            if name is None or name in META:
                continue
            required = not p.get("optional", False)
            struct, many = self._struct(p["type"])
            if struct is None:
                attributes[name] = {"type": plain_type(p["type"]), "required": required}
            else:
                blocks[name] = {"many": many, "required": required, **self._block(struct)}
        return {"attributes": attributes, "blocks": blocks}

    def _struct(self, described: dict[str, Any]) -> tuple[str | None, bool]:
        """Name of the structure behind a type, and whether it may come several times."""
        if "fqn" in described:
            fqn = described["fqn"]
            return (fqn if fqn in self._types else None), False
        if "collection" in described:
            struct, _ = self._struct(described["collection"]["elementtype"])
            return struct, True
        for option in described.get("union", {}).get("types", []):
            struct, many = self._struct(option)
            if struct is not None:
                return struct, many
        return None, False


def documented_type(described: dict[str, Any]) -> str:
    """`google_x`, as the link to its documentation names it."""
    found = re.search(r"/docs/[\w-]+/\w+ (\w+)", described.get("docs", {}).get("summary", ""))
    return found.group(1) if found else ""


def terraform_name(described: dict[str, Any]) -> str | None:
    """The argument's own name, as the link to its documentation has it."""
    docs = described.get("docs", {})
    found = re.search(r"/docs/[\w-]+/\w+#(\w+)", docs.get("remarks", "") + docs.get("summary", ""))
    return found.group(1) if found else None


def snake_case(name: str) -> str:
    """`latestCreatedExecution` -> `latest_created_execution`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def plain_type(described: dict[str, Any]) -> str:
    """string, number, bool, list(...), map(...)."""
    if "primitive" in described:
        return {"boolean": "bool"}.get(described["primitive"], described["primitive"])
    if "collection" in described:
        kind = {"array": "list"}.get(
            described["collection"]["kind"], described["collection"]["kind"]
        )
        return f"{kind}({plain_type(described['collection']['elementtype'])})"
    options = [o for o in described.get("union", {}).get("types", []) if "fqn" not in o]
    return plain_type(options[0]) if options else "any"


def main() -> None:
    """Write the trimmed schema."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheels", type=Path, nargs="+")
    wheels: list[Path] = parser.parse_args().wheels
    types: dict[str, Any] = {}
    versions = {}
    for wheel in wheels:
        described, version = read_assembly(wheel)
        types |= described
        versions[wheel.name.split("-")[0].removeprefix("cdktn_provider_")] = version
    trimmer = Trimmer(types)
    schema = {
        "versions": versions,
        "sources": sorted("-".join(wheel.name.split("-")[:2]) for wheel in wheels),
        **{
            kind: {name: trimmer.top(kind, name) for name in names}
            for kind, names in used_types().items()
        },
    }
    OUT.write_text(json.dumps(schema, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
