"""What the console works on: the bucket, the topics, and what runs the jobs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from app.settings import Settings
from contract.stores import Store, open_store
from contract.topics import Publisher, open_topic
from mmm.cloud.api import Api
from mmm.cloud.schedules import Schedules, read_schedules
from trigger.execution import Launcher


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The bucket and the topics."""

    settings: Settings
    store: Store
    events: Publisher
    requests: Publisher

    @property
    def is_local(self) -> bool:
        """Whether the bucket is a folder of this machine."""
        return self.store.url.startswith("file://")

    def launcher(self) -> Launcher:
        """Return what stops executions: Cloud Run, or the processes of this machine."""
        if self.settings.job is None:
            from mmm.local.launcher import LocalLauncher

            return LocalLauncher([], env={})
        from trigger.cloud_run import CloudRunLauncher

        return CloudRunLauncher.connect(self.settings.job, endpoint=self.settings.run_endpoint)

    def schedules(self) -> Schedules:
        """Return the schedules that request runs; none where no cloud keeps any.

        Raises:
            DeniedError, ServiceError, TransientError: they cannot be read.
        """
        if self.settings.job is None:
            otherwise = "none here: start it" if self.is_local else "not known: set MMM_JOB"
            return Schedules(otherwise=otherwise)
        place = self.settings.job.rpartition("/jobs/")[0]
        return read_schedules(Api.connect(), place, self.requests.topic)


@lru_cache(maxsize=8)
def connect(settings: Settings) -> Deployment:
    """Return the deployment of the settings; its clients are shared by all sessions."""
    return Deployment(
        settings=settings,
        store=open_store(settings.bucket),
        events=open_topic(settings.events_topic),
        requests=open_topic(settings.requests_topic),
    )


def here() -> Deployment:
    """Return the deployment of this process's environment."""
    return connect(Settings.current())
