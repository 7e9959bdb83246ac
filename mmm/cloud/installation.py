"""The names that Terraform (`infra/`) gives the parts of an installation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from contract.exceptions import ConfigError

SERVICES = (
    "artifactregistry", "cloudbuild", "cloudfunctions", "cloudresourcemanager", "cloudscheduler",
    "iam", "logging", "monitoring", "pubsub", "run", "secretmanager", "storage",
)  # fmt: skip
WRITERS = {
    "trigger": ("keys/", "reconcile/", "rejected/", "robyn/index.html", "runs/"),
    "job": (
        "decisions/", "fingerprints/", "keys/", "limits/", "markets/", "rejected/", "robyn/",
        "runs/",
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An installation; `name` is the prefix of its parts."""

    project: str
    region: str
    name: str
    bucket: str

    @classmethod
    def of(cls, job: str, bucket: str) -> Self:
        """Return the installation of a job (`projects/P/locations/L/jobs/NAME-train`).

        Raises:
            ConfigError: the job is not one that Terraform names, or the bucket is a folder.
        """
        found = re.fullmatch(r"projects/([^/]+)/locations/([^/]+)/jobs/([^/]+)-train", job)
        if found is None:
            raise ConfigError(
                f"`--job` is `{job}`; allowed: projects/P/locations/L/jobs/NAME-train, as "
                "`terraform output mmm` shows it"
            )
        if not bucket.startswith("gs://"):
            raise ConfigError(f"`--bucket` is `{bucket}`; allowed with `--cloud`: gs://BUCKET")
        project, region, name = found.groups()
        bucket = bucket.removeprefix("gs://").rstrip("/")
        return cls(project=project, region=region, name=name, bucket=bucket)

    @property
    def place(self) -> str:
        """The parent of the regional resources."""
        return f"projects/{self.project}/locations/{self.region}"

    @property
    def job(self) -> str:
        """The job that trains."""
        return f"{self.place}/jobs/{self.name}-train"

    def function(self, key: str) -> str:
        """Return a function: trigger or reconcile."""
        return f"{self.place}/functions/{self.name}-{key}"

    def topic(self, key: str) -> str:
        """Return a topic: requests, events or requests-dead."""
        return f"projects/{self.project}/topics/{self.name}-{key}"

    def subscription(self, key: str) -> str:
        """Return a subscription: requests or requests-dead."""
        return f"projects/{self.project}/subscriptions/{self.name}-{key}"

    def account(self, key: str) -> str:
        """Return the address of a service account: trigger, job, push or build."""
        return f"{self.name}-{key}@{self.project}.iam.gserviceaccount.com"
