"""Everything that can go wrong, and the exit code that it means.

```
MMMError                       exit code  meaning
├── ConfigError                64         the request or config can never run as it is
│   └── LimitError             64         over a limit that the config sets
├── DataError                  65         the data cannot be trained on
│   └── GateError              65         checks before training found that
├── ServiceError               69         a service refuses: login, privilege, missing table
├── ModelError                 70         R, nevergrad or the model failed
├── ArtifactError              73         the results could not be written
├── TransientError             75         a retry may help
├── CancelledError             143        the run was told to stop
└── StoreError                 75         the bucket did not do what was asked
    ├── NotFoundError          69         no such object
    ├── DamagedError           69         an object is not what this project wrote
    └── PreconditionError      75         somebody else wrote the object first
```

Cloud Run retries any non-zero exit. Permanent codes (64, 65, 69, 70, 73) therefore leave a terminal
status, and a retry that finds one leaves at once with the same code.
"""

from __future__ import annotations

from typing import Any

from contract.printable import visible


class MMMError(Exception):
    """Base of every error that this project raises on purpose; `str()` is for people."""

    exit_code = 70

    def __init__(self, message: str, *, step: str | None = None) -> None:
        self.message = visible(message)
        super().__init__(self.message)
        self.step = step
        self.run_id: str | None = None  # where it is known by the time that the error is told


class ConfigError(MMMError):
    """The request or config can never run as it is; `problems` has one sentence per fault."""

    exit_code = 64

    def __init__(self, problems: str | list[str], *, step: str | None = None) -> None:
        given = [problems] if isinstance(problems, str) else problems
        self.problems = [visible(problem) for problem in given]
        super().__init__("\n".join(self.problems), step=step)


class LimitError(ConfigError):
    """Over a limit that the config sets (`limits`)."""

    exit_code = 64


class DataError(MMMError):
    """The data cannot be trained on."""

    exit_code = 65


class GateError(DataError):
    """Checks before training found faults; `quality` is the verdict as the event tells it."""

    def __init__(self, message: str, *, quality: dict[str, Any]) -> None:
        super().__init__(message)
        self.quality = quality


class ServiceError(MMMError):
    """A service refuses: authentication, privilege, missing table."""

    exit_code = 69


class ModelError(MMMError):
    """R, nevergrad or the model failed."""

    exit_code = 70


class ArtifactError(MMMError):
    """The results could not be written."""

    exit_code = 73


class TransientError(MMMError):
    """A retry may help."""

    exit_code = 75


class CancelledError(MMMError):
    """The run was told to stop (SIGTERM)."""

    exit_code = 143


class StoreError(MMMError):
    """The bucket did not do what was asked."""

    exit_code = 75


class NotFoundError(StoreError):
    """No such object."""

    exit_code = 69


class DamagedError(StoreError):
    """An object is not what this project wrote; `path` names it."""

    exit_code = 69

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"`{path}` is damaged: {' '.join(problem.split())[:300]}")
        self.path = path


class PreconditionError(StoreError):
    """Somebody else wrote the object first."""


PERMANENT_CODES = frozenset({64, 65, 69, 70, 73})
