"""The exceptions of this project, and the exit code of each.

```
MMMError                       exit code  meaning
├── PausedError                0          the market is paused; the run ends as SKIPPED
├── ConfigError                64         the request or config can never run as it is
│   └── LimitError             64         a limit of the config is exceeded
├── DataError                  65         the data cannot be trained on
│   └── GateError              65         a check before training blocks the run
├── ServiceError               69         a service refuses: login, privilege, missing table
│   └── DeniedError            69         it denies access (403), perhaps not for long
├── ModelError                 70         R, nevergrad or the model failed
├── ArtifactError              73         the results cannot be written
├── TransientError             75         a retry may help
├── CancelledError             143        the run was stopped (SIGTERM or Ctrl-C)
└── StoreError                 75         an operation on the bucket failed
    ├── NotFoundError          69         the object does not exist
    ├── DamagedError           69         an object is not what this project wrote
    └── PreconditionError      75         another writer wrote the object first
```

Cloud Run retries any non-zero exit. Permanent codes (64, 65, 69, 70, 73) therefore leave a terminal
status, and a retry that finds one exits at once with the same code.
"""

from __future__ import annotations

from typing import Any

from contract.printable import escape_invisible


class MMMError(Exception):
    """Base of every error that this project raises on purpose; `str()` is a message for people."""

    exit_code = 70

    def __init__(self, message: str, *, step: str | None = None) -> None:
        self.message = escape_invisible(message)
        super().__init__(self.message)
        self.step = step
        self.run_id: str | None = None  # set if it is known when the error is reported


class PausedError(MMMError):
    """The market is paused: nothing is wrong, and the run ends as SKIPPED."""

    exit_code = 0


class ConfigError(MMMError):
    """The request or config can never run as it is; `problems` has one sentence per fault."""

    exit_code = 64

    def __init__(self, problems: str | list[str], *, step: str | None = None) -> None:
        given = [problems] if isinstance(problems, str) else problems
        self.problems = [escape_invisible(problem) for problem in given]
        super().__init__("\n".join(self.problems), step=step)


class LimitError(ConfigError):
    """A limit of the config (`limits`) is exceeded."""

    exit_code = 64


class DataError(MMMError):
    """The data cannot be trained on."""

    exit_code = 65


class GateError(DataError):
    """A check before training blocks the run; `quality` is the verdict, as in the event."""

    def __init__(self, message: str, *, quality: dict[str, Any]) -> None:
        super().__init__(message)
        self.quality = quality


class ServiceError(MMMError):
    """A service refuses: authentication, privilege, missing table."""

    exit_code = 69


class DeniedError(ServiceError):
    """A service denies access (HTTP 403).

    A grant takes minutes to take effect, so this is permanent only after `contract.retries.GRANT`.
    """


class ModelError(MMMError):
    """R, nevergrad or the model failed."""

    exit_code = 70


class ArtifactError(MMMError):
    """The results cannot be written."""

    exit_code = 73


class TransientError(MMMError):
    """A retry may help."""

    exit_code = 75


class CancelledError(MMMError):
    """The run was stopped (SIGTERM or Ctrl-C)."""

    exit_code = 143


class StoreError(MMMError):
    """An operation on the bucket failed."""

    exit_code = 75


class NotFoundError(StoreError):
    """The object does not exist."""

    exit_code = 69


class DamagedError(StoreError):
    """An object is not what this project wrote; `path` names it."""

    exit_code = 69

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"`{path}` is damaged: {' '.join(problem.split())[:300]}")
        self.path = path


class PreconditionError(StoreError):
    """Another writer wrote the object first."""


PERMANENT_CODES = frozenset({64, 65, 69, 70, 73})
