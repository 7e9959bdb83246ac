"""What exists in the repository, for the check of its documents."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any

import typer.main

from mmm.commands import app

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "mmm-trainer"  # the distribution's name


@dataclass(frozen=True)
class Repository:
    """What documents may name."""

    root: Path

    @cached_property
    def files(self) -> set[str]:
        """Paths of the files that git knows or would add."""
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True)  # noqa: S603
        return {path for path in done.stdout.splitlines() if (self.root / path).is_file()}

    @cached_property
    def folders(self) -> set[str]:
        """Folders of the files, at any depth."""
        return {str(parent) for path in self.files for parent in Path(path).parents}

    @cached_property
    def documents(self) -> list[str]:
        """The Markdown files."""
        return sorted(path for path in self.files if path.endswith(".md"))

    @cached_property
    def targets(self) -> set[str]:
        """Targets of the Makefile."""
        return set(re.findall(r"^([a-z-]+):", self.text("Makefile"), re.MULTILINE))

    @cached_property
    def commands(self) -> dict[str, set[str]]:
        """Options of each command of `mmm`; those of `mmm` itself under the empty name."""
        group: Any = typer.main.get_command(app)
        help_options = set(group.context_settings["help_option_names"])
        return {
            name: {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
            | help_options
            for name, command in {"": group, **group.commands}.items()
        }

    @cached_property
    def resources(self) -> list[str]:
        """Names that Terraform gives, as patterns; the module's `name` is `mmm` by default."""
        names = re.findall(r'"\$\{var\.name\}(-\w[^"]*)"', self._all(".tf"))
        example = self.text("infra/examples/basic/main.tf").partition("  secrets = {")[2]
        secrets = re.findall(r"^    ([\w-]+)\s*=", example.partition("\n  }")[0], re.MULTILINE)
        return [
            *(f"mmm{re.sub(r'[$][{][^}]*[}]', '*', name)}" for name in names),
            *(f"mmm-{secret}" for secret in secrets),
        ]

    @cached_property
    def job(self) -> str:
        """The name that Terraform gives the Cloud Run job."""
        block = self.text("infra/job.tf").partition('"google_cloud_run_v2_job"')[2]
        [name] = re.findall(r'"\$\{var\.name\}(-\w+)"', block)[:1]
        return f"mmm{name}"

    @cached_property
    def variables(self) -> set[str]:
        """Environment variables that the code names."""
        code = self._all(".py", ".tf", ".sh", ".R", "Makefile")
        return set(re.findall(r"\bMMM_[A-Z_]+\b", code))

    def text(self, path: str) -> str:
        """Return a file's text."""
        return (self.root / path).read_text(encoding="utf-8")

    def has(self, path: str) -> bool:
        """Whether a path, which may have `*`, is a file or folder."""
        path = path.rstrip("/")
        if "*" in path:
            return any(fnmatch(name, path) for name in self.files)
        return path in self.files or path in self.folders

    def has_resource(self, name: str) -> bool:
        """Whether Terraform makes something with this name, or it is the project's."""
        return name == PROJECT or any(fnmatch(name, pattern) for pattern in self.resources)

    def _all(self, *endings: str) -> str:
        return "\n".join(self.text(path) for path in sorted(self.files) if path.endswith(endings))
