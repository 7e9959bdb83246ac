"""The machine of a task: vCPUs, memory and region."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from contract import environment
from contract.environment_settings import EnvironmentSettings
from job.runtime.machine import available_cores, memory_limit

DEFAULT_REGION = "europe-west1"
GIB_PER_VCPU = 2.0  # if nothing limits the memory; the same ratio as in Terraform's defaults
CPUS = "vCPUs such as 4 or 4000m"
MEMORY = "memory such as 8Gi or 512Mi"
_SIZES = {"": 1 / 2**30, "Ki": 1 / 2**20, "Mi": 1 / 2**10, "Gi": 1.0}


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The vCPUs and the memory of one task, and their region."""

    vcpus: float
    gib: float
    region: str

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.vcpus:g} vCPU, {self.gib:g} GiB, {self.region}"


def this_machine() -> Machine:
    """Return the machine that the environment describes, else what this process may use.

    Raises:
        ConfigError: a variable has a wrong value.
    """
    size = Size.read()
    vcpus = size.cpu or float(available_cores())
    gib = size.memory or memory_limit() or GIB_PER_VCPU * vcpus
    return Machine(vcpus=vcpus, gib=gib, region=size.region)


def cpus(text: str) -> float:
    """Return `4` or `4000m` as 4.0.

    Raises:
        ValueError: it is neither; the message says what is allowed.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(m?)", text)
    value = float(found[1]) / (1000 if found[2] else 1) if found else 0.0
    if value <= 0:
        raise ValueError(CPUS)
    return value


def gibibytes(text: str) -> float:
    """Return `8Gi` or `512Mi` as GiB.

    Raises:
        ValueError: it is neither; the message says what is allowed.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|)", text)
    value = float(found[1]) * _SIZES[found[2]] if found else 0.0
    if value <= 0:
        raise ValueError(MEMORY)
    return value


class Size(EnvironmentSettings):
    """What Terraform gives the job."""

    cpu: Annotated[float, BeforeValidator(cpus)] | None = Field(
        default=None, validation_alias=environment.CPU, description=CPUS
    )
    memory: Annotated[float, BeforeValidator(gibibytes)] | None = Field(
        default=None, validation_alias=environment.MEMORY, description=MEMORY
    )
    region: str = Field(
        default=DEFAULT_REGION,
        validation_alias=environment.REGION,
        description="a region's name",
    )
