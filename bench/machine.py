"""The machine that a benchmark ran on; every result states it."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]


def machine() -> dict[str, Any]:
    """Return cores, processor, memory, system and versions, without the host name."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _cpu(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "os": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "r": _r(),
    }


def in_words(facts: dict[str, Any]) -> str:
    """Return the description of the machine in one line."""
    return (
        f"{facts['cores']} cores of {facts['cpu']}, {facts['memory_gb']} GB, {facts['os']},"
        f" Python {facts['python']}, R {facts['r'] or 'not installed'}"
    )


def robyn_version() -> str | None:
    """Return the version of the installed Robyn, None if it is not installed."""
    code = (
        'source("r/library.R", chdir = TRUE); '
        'if (nzchar(system.file(package = "Robyn"))) cat(as.character(packageVersion("Robyn")))'
    )
    done = subprocess.run(
        ["Rscript", "-e", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip() or None


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _r() -> str | None:
    try:
        answer = subprocess.run(
            ["Rscript", "-e", "cat(as.character(getRversion()))"],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
