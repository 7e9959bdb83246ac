"""A folder as a bucket that takes one write of each object per pause, as Cloud Storage does.

A refused write is tried again with the real client's policy, which is what code in front of the real
client sees: it takes longer, and another writer may win meanwhile. Each instance is a process: it
spaces out its own writes and knows nothing of the others'.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from google.api_core.exceptions import TooManyRequests

from contract.exceptions import PreconditionError
from contract.retries import RETRY
from contract.stores.base import JSON, ObjectInfo
from contract.stores.folder import FolderStore
from contract.stores.pace import Pace
from tests.fakes.write_limit import WriteLimit

T = TypeVar("T")


class StrictStore(FolderStore):
    """A folder store behind a limit, which all its processes share."""

    def __init__(self, root: Path, limit: WriteLimit) -> None:
        super().__init__(root)
        self.limit = limit
        self.failed = 0
        self._pace = Pace(limit.seconds)

    @property
    def write_pause(self) -> float:
        return self.limit.seconds

    def write(
        self, path: str, data: bytes, *, if_generation: int | None = None, content_type: str = JSON
    ) -> int:
        return self._limited(
            path, if_generation, lambda: super(StrictStore, self).write(
                path, data, if_generation=if_generation, content_type=content_type
            )
        )  # fmt: skip

    def upload(
        self,
        local: Path,
        path: str,
        *,
        content_type: str | None = None,
        if_generation: int | None = None,
    ) -> ObjectInfo:
        return self._limited(
            path, if_generation, lambda: super(StrictStore, self).upload(
                local, path, content_type=content_type, if_generation=if_generation
            )
        )  # fmt: skip

    def delete(self, path: str, *, if_generation: int | None = None) -> None:
        self._limited(
            path,
            if_generation,
            lambda: super(StrictStore, self).delete(path, if_generation=if_generation),
        )

    def _limited(self, path: str, if_generation: int | None, write: Callable[[], T]) -> T:
        tries = 0

        def once() -> T:
            nonlocal tries
            tries += 1
            if tries > 1 and if_generation is not None:
                info = self.stat(path)
                if (info.generation if info else 0) != if_generation:
                    raise PreconditionError(f"`{path}` has another generation")
            if not self.limit.admit(path):
                raise TooManyRequests(f"the object {path} exceeded the rate limit")  # type: ignore[no-untyped-call]
            changed = False
            try:
                result = write()
                changed = True
            finally:
                self.limit.done(path, changed=changed)
            return result

        self._pace.wait(path)
        seconds = self.limit.seconds
        policy = RETRY.with_delay(initial=seconds / 2, maximum=seconds * 5)
        try:
            result: T = policy(once)()
        except PreconditionError:
            self._pace.failed(path)
            raise
        self._pace.wrote(path)
        return result
