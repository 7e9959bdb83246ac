"""What is rented for a task: vCPUs, memory, region."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from contract.exceptions import ConfigError
from job.runtime.machine import available_cores, memory_limit

DEFAULT_REGION = "europe-west1"
GIB_PER_VCPU = 2.0  # where nothing limits the memory: the ratio that Terraform's defaults have
_SIZES = {"": 1 / 2**30, "Ki": 1 / 2**20, "Mi": 1 / 2**10, "Gi": 1.0}


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One task's share of a machine."""

    vcpus: float
    gib: float
    region: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.vcpus:g} vCPU, {self.gib:g} GiB, {self.region}"


def this_machine(env: Mapping[str, str] | None = None) -> Machine:
    """What MMM_CPU, MMM_MEMORY and MMM_REGION say, else what this process may use.

    Raises:
        ConfigError: a variable is not what it should be.
    """
    env = os.environ if env is None else env
    vcpus = cpus(env["MMM_CPU"], "MMM_CPU") if env.get("MMM_CPU") else float(available_cores())
    given = env.get("MMM_MEMORY")
    gib = gibibytes(given, "MMM_MEMORY") if given else memory_limit() or GIB_PER_VCPU * vcpus
    return Machine(vcpus=vcpus, gib=gib, region=env.get("MMM_REGION") or DEFAULT_REGION)


def cpus(text: str, name: str) -> float:
    """`4` or `4000m` as 4.0.

    Raises:
        ConfigError: it is neither; `name` is in the message.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(m?)", text)
    value = float(found[1]) / (1000 if found[2] else 1) if found else 0.0
    if value <= 0:
        raise ConfigError(f"`{name}` is `{text}`; allowed: vCPUs such as 4 or 4000m")
    return value


def gibibytes(text: str, name: str) -> float:
    """`8Gi` or `512Mi` as GiB.

    Raises:
        ConfigError: it is neither; `name` is in the message.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|)", text)
    value = float(found[1]) * _SIZES[found[2]] if found else 0.0
    if value <= 0:
        raise ConfigError(f"`{name}` is `{text}`; allowed: memory such as 8Gi or 512Mi")
    return value
