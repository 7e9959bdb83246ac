"""Read the cores and memory of this process, as its cgroup and affinity mask limit them."""

from __future__ import annotations

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def available_cores(cgroup: Path = CGROUP) -> int:
    """Return the cores that this process may use: CPU quota and affinity mask, at least 1."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(1, min(cores, _quota(cgroup) or cores))


def memory_limit(cgroup: Path = CGROUP) -> float | None:
    """Return the GiB that the cgroup (version 2, then 1) allows, None without a limit."""
    for file in (cgroup / "memory.max", cgroup / "memory/memory.limit_in_bytes"):
        try:
            text = file.read_text().strip()
        except OSError:
            continue
        if text.isdecimal() and int(text) < 2**60:
            return round(int(text) / 2**30, 3)
    return None


def _quota(cgroup: Path) -> int | None:
    """Return the whole cores of the CPU quota (version 2, then 1), None without a quota."""
    two = cgroup / "cpu.max"
    one = cgroup / "cpu/cpu.cfs_quota_us", cgroup / "cpu/cpu.cfs_period_us"
    try:
        if two.exists():
            quota, period = two.read_text().split()
        else:
            quota, period = (path.read_text().strip() for path in one)
    except (OSError, ValueError):
        return None
    if quota in ("max", "-1"):
        return None
    return max(1, int(quota) // int(period))
