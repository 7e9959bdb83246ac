"""`mmm doctor --cloud` against stand-ins for Google's REST APIs, with the real session of google-auth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials
from typer.testing import CliRunner

from contract.exceptions import ConfigError
from contract.run import now
from contract.stores import Store
from mmm.cloud.access import LAUNCH, PUBLISH, READ
from mmm.cloud.api import Api
from mmm.cloud.doctor import examine_cloud
from mmm.cloud.installation import SERVICES, WRITERS, Installation
from mmm.commands import app
from mmm.machine import Check, Level
from tests.fakes import google_apis, snowflake
from tests.fakes.google_apis import CALLER, FakeGoogle
from tests.infra.terraform_source import load

ROOT = Path(__file__).resolve().parents[2]
JOB = "projects/p/locations/europe-west1/jobs/mmm-train"
ONE = Installation.of(JOB, "gs://b")
DIGEST = f"sha256:{'a' * 64}"
IMAGE = f"europe-west1-docker.pkg.dev/p/mmm/job@{DIGEST}"
REGISTRY = "artifactregistry/v1/projects/p/locations/europe-west1/repositories/mmm/dockerImages"
BUCKET, REQUESTS = "storage/storage/v1/b/b", f"pubsub/v1/{ONE.subscription('requests')}"
RECONCILE = f"cloudscheduler/v1/{ONE.place}/jobs/mmm-reconcile"
TRAIN, SECRET = f"run/v2/{JOB}", "secretmanager/v1/projects/p/secrets/mmm-key/versions/1"
TRIGGER = f"cloudfunctions/v2/{ONE.function('trigger')}"


@pytest.fixture
def google() -> Iterator[FakeGoogle]:
    """An installation in which everything is as Terraform makes it."""
    with google_apis.running() as running:
        running.enabled = {f"{name}.googleapis.com" for name in SERVICES}
        running.permissions = {
            ONE.account("trigger"): {*READ, *PUBLISH, *LAUNCH},
            ONE.account("job"): {*READ, *PUBLISH},
        }
        running.resources = resources()
        yield running


def resources() -> dict[str, dict[str, Any]]:
    functions = {
        f"cloudfunctions/v2/{ONE.function(key)}": {
            "state": "ACTIVE",
            "serviceConfig": {
                "serviceAccountEmail": ONE.account("trigger"),
                "environmentVariables": {"MMM_BUCKET": "gs://b", "MMM_JOB": JOB},
            },
        }
        for key in ("trigger", "reconcile")
    }
    return {
        BUCKET: {
            "location": "EUROPE-WEST1",
            "iamConfiguration": {
                "uniformBucketLevelAccess": {"enabled": True},
                "publicAccessPrevention": "enforced",
            },
            "versioning": {"enabled": True},
            "softDeletePolicy": {"retentionDurationSeconds": "0"},
            "lifecycle": {
                "rule": [
                    {"condition": {"matchesSuffix": [".parquet"], "age": 14}},
                    {"condition": {"daysSinceNoncurrentTime": 30}},
                ]
            },
        },
        f"{BUCKET}/iam": {
            "bindings": [
                {
                    "role": "roles/storage.objectUser",
                    "members": [f"serviceAccount:{ONE.account(key)}"],
                    "condition": {
                        "expression": " || ".join(
                            f'resource.name.startsWith("projects/_/buckets/b/objects/{prefix}")'
                            for prefix in prefixes
                        )
                    },
                }
                for key, prefixes in WRITERS.items()
            ]
        },
        **{
            f"pubsub/v1/{ONE.topic(key)}": {"name": ONE.topic(key)}
            for key in ("requests", "events", "requests-dead")
        },
        REQUESTS: {
            "topic": ONE.topic("requests"),
            "state": "ACTIVE",
            "ackDeadlineSeconds": 120,
            "pushConfig": {
                "pushEndpoint": "https://f.run.app",
                "oidcToken": {"serviceAccountEmail": ONE.account("push")},
            },
            "deadLetterPolicy": {
                "deadLetterTopic": ONE.topic("requests-dead"), "maxDeliveryAttempts": 10,
            },
            "retryPolicy": {"minimumBackoff": "10s"},
        },
        f"pubsub/v1/{ONE.subscription('requests-dead')}": {"topic": ONE.topic("requests-dead")},
        **functions,
        TRAIN: {
            "terminalCondition": {"state": "CONDITION_SUCCEEDED"},
            "latestCreatedExecution": {"name": "e-1", "completionStatus": "EXECUTION_SUCCEEDED"},
            "template": {
                "template": {
                    "serviceAccount": ONE.account("job"),
                    "containers": [
                        {
                            "image": IMAGE,
                            "env": [
                                {"name": "MMM_BUCKET", "value": "gs://b"},
                                {
                                    "name": "KEY",
                                    "valueSource": {
                                        "secretKeyRef": {"secret": "mmm-key", "version": "1"}
                                    },
                                },
                            ],
                        }
                    ],
                }
            },
        },
        f"{REGISTRY}/job@{DIGEST}": {"tags": ["0.3.0", "deployed"], "uploadTime": "2026-11-27"},
        SECRET: {"state": "ENABLED"},
        RECONCILE: {
            "name": RECONCILE.partition("/v1/")[2],
            "state": "ENABLED",
            "lastAttemptTime": now().isoformat(),
        },
        f"cloudscheduler/v1/{ONE.place}/jobs": {
            "jobs": [{"name": f"{ONE.place}/jobs/mmm-request-de", "state": "ENABLED"}]
        },
    }  # fmt: skip


def connect(google: FakeGoogle) -> Api:
    session = AuthorizedSession(Credentials(token=CALLER))  # type: ignore[no-untyped-call]
    return Api(session, base=google.base)


def examine(google: FakeGoogle, store: Store, **env: str) -> list[Check]:
    return list(examine_cloud(connect(google), ONE, store, env))


def test_an_installation_as_terraform_makes_it_has_no_fault(
    google: FakeGoogle, gcs_store: Store
) -> None:
    google.busy[BUCKET] = 1  # a passing fault is no finding
    checks = examine(google, gcs_store)
    assert [check for check in checks if check.level is not Level.OK] == []
    assert {check.check for check in checks} == {
        "APIs", "bucket", "topic requests", "topic events", "topic requests-dead",
        "subscription requests", "subscription requests-dead", "function trigger",
        "function reconcile", "job", "image", "secret mmm-key", "reconcile", "schedules",
        "bucket policy", "account trigger", "account job", "Snowflake", "clock",
    }  # fmt: skip
    assert "(0.3.0), uploaded 2026-11-27" in next(c.message for c in checks if c.check == "image")


Change = Callable[[FakeGoogle], object]


@pytest.mark.parametrize(
    ("change", "check", "said", "remedy"),
    [
        (lambda g: g.enabled.discard("run.googleapis.com"), "APIs", "run.googleapis.com", "enable"),
        (lambda g: g.resources[BUCKET].pop("versioning"), "bucket", "nothing can be restored", ""),
        (lambda g: g.resources[BUCKET].pop("lifecycle"), "bucket", "are never deleted", ""),
        (lambda g: g.resources.pop(BUCKET), "bucket", "there is no", "terraform apply"),
        (
            lambda g: g.resources.pop(f"pubsub/v1/{ONE.topic('events')}"),
            "topic events", "there is no", "terraform apply",
        ),
        (
            lambda g: g.resources[REQUESTS].pop("deadLetterPolicy"),
            "subscription requests", "it has no dead-letter topic", "",
        ),
        (
            lambda g: g.resources[REQUESTS].update(topic="_deleted-topic_"),
            "subscription requests", "it reads _deleted-topic_", "",
        ),
        (
            lambda g: g.resources[TRIGGER].update(
                state="FAILED", stateMessages=[{"message": "build failed"}]
            ),
            "function trigger", "it is FAILED: build failed", "",
        ),
        (
            lambda g: g.resources[TRAIN]["template"]["template"].update(serviceAccount="x@y"),
            "job", "it runs as x@y", "",
        ),
        (lambda g: g.resources.pop(f"{REGISTRY}/job@{DIGEST}"), "image", "not in the registry", "push"),
        (
            lambda g: g.resources[f"{REGISTRY}/job@{DIGEST}"].update(tags=["0.3.0"]),
            "image", "the registry may delete it", "tags add",
        ),
        (
            lambda g: g.resources[SECRET].update(state="DISABLED"),
            "secret mmm-key", "version 1 is DISABLED", "versions enable 1",
        ),
        (
            lambda g: g.resources.pop(SECRET),
            "secret mmm-key", "has no version 1", "versions add mmm-key",
        ),
        (
            lambda g: g.resources[RECONCILE].update(
                lastAttemptTime=(now() - timedelta(hours=3)).isoformat()
            ),
            "reconcile", "its last call was 180 min ago", "jobs run mmm-reconcile",
        ),
        (
            lambda g: g.resources[RECONCILE].update(status={"code": 7}),
            "reconcile", "failed with code 7", "jobs run mmm-reconcile",
        ),
        (
            lambda g: g.resources[f"cloudscheduler/v1/{ONE.place}/jobs"]["jobs"][0].update(
                status={"code": 7}
            ),
            "schedules", "mmm-request-de failed with code 7", "",
        ),
        (
            lambda g: g.resources[f"{BUCKET}/iam"]["bindings"].pop(),
            "bucket policy", f"{ONE.account('job')} may not write below decisions/", "",
        ),
        (
            lambda g: g.resources[f"{BUCKET}/iam"]["bindings"].append(
                {"role": "roles/storage.objectViewer", "members": ["allUsers"]}
            ),
            "bucket policy", "everybody has roles/storage.objectViewer", "",
        ),
        (
            lambda g: g.permissions[ONE.account("trigger")].discard("run.jobs.runWithOverrides"),
            "account trigger", "lacks run.jobs.runWithOverrides", "takes minutes",
        ),
        (
            lambda g: g.permissions[ONE.account("job")].discard("storage.objects.list"),
            "account job", "lacks storage.objects.list", "takes minutes",
        ),
        (
            lambda g: setattr(g, "impersonable", False),
            "account job", "may not act as", "serviceAccountTokenCreator",
        ),
        (
            lambda g: g.denied.update({TRAIN: "run.jobs.get"}),
            "job", "Permission 'run.jobs.get' denied", "roles/viewer",
        ),
        (
            lambda g: g.busy.update({RECONCILE: 1000}),
            "reconcile", "currently unavailable", "try again",
        ),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_its_remedy(
    google: FakeGoogle,
    gcs_store: Store,
    monkeypatch: pytest.MonkeyPatch,
    change: Change,
    check: str,
    said: str,
    remedy: str,
) -> None:
    monkeypatch.setattr("mmm.cloud.api.BRIEF_RETRY", quick())
    change(google)
    found = [one for one in examine(google, gcs_store) if one.level is not Level.OK]
    assert any(one.check == check and said in one.message for one in found), found
    assert all(one.remedy for one in found)
    assert any(remedy in str(one.remedy) for one in found if one.check == check)
    others = {one.check for one in found} - {check, "account trigger", "account job"}
    depend = {"image", "secrets", "Snowflake"} if check == "job" else {"bucket policy"}
    assert others <= depend, found


def quick() -> Any:
    from contract.retries import BRIEF_RETRY

    return BRIEF_RETRY.with_timeout(0.5).with_delay(initial=0.05, maximum=0.1)


def test_snowflake_is_tried_if_the_job_uses_it(
    google: FakeGoogle, gcs_store: Store, tmp_path: Path
) -> None:
    env = google.resources[TRAIN]["template"]["template"]["containers"][0]["env"]
    env.append({"name": "SNOWFLAKE_ACCOUNT", "value": "org-acc"})
    [warned] = [one for one in examine(google, gcs_store) if one.level is not Level.OK]
    assert (warned.check, warned.level) == ("Snowflake", Level.WARN)
    given = {"SNOWFLAKE_ACCOUNT": "org-acc", "SNOWFLAKE_USER": "u"}
    [failed] = [one for one in examine(google, gcs_store, **given) if one.level is not Level.OK]
    assert "the Snowflake login needs one of" in failed.message
    with snowflake.running() as warehouse:
        checks = examine(google, gcs_store, **warehouse.with_key_pair(tmp_path, passphrase="p"))
    answered = next(one for one in checks if one.check == "Snowflake")
    assert answered.level is Level.OK
    assert "answered with 1 row in" in answered.message


def test_the_command_prints_each_check_and_its_exit_code(
    google: FakeGoogle, gcs_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Api, "connect", lambda: connect(google))
    bucket = gcs_store.url
    for address in [a for a in google.resources if "/v1/b/b" in a]:
        google.resources[address.replace("/v1/b/b", f"/v1/b/{bucket[5:]}")] = google.resources[
            address
        ]
    command = ["doctor", "--cloud", "--job", JOB, "--bucket", bucket, "--json"]
    done = CliRunner().invoke(app, command)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    schema = json.loads((ROOT / "docs" / "schemas" / "doctor.schema.json").read_text())
    for line in lines:
        jsonschema.validate(line, schema)
    assert done.exit_code == 69  # the other parts have another bucket
    assert {line["check"] for line in lines if line["level"] == "fail"} == {
        "function trigger", "function reconcile", "job", "bucket policy",
    }  # fmt: skip
    assert CliRunner().invoke(app, ["doctor", "--cloud", "--bucket", bucket]).exit_code == 64


def test_what_is_no_installation_is_refused() -> None:
    with pytest.raises(ConfigError, match="allowed: projects/P/locations/L/jobs/NAME-train"):
        Installation.of("mmm-train", "gs://b")
    with pytest.raises(ConfigError, match="allowed with `--cloud`: gs://BUCKET"):
        Installation.of(JOB, "folder")


def test_what_is_expected_is_what_terraform_makes() -> None:
    module = load(ROOT / "infra")
    text = str(module.locals["services"])
    assert {f"{name}.googleapis.com" for name in SERVICES} <= {
        part for part in text.replace("'", '"').split('"') if part.endswith(".googleapis.com")
    }
    writers = module.locals["writers"]
    for key, prefixes in WRITERS.items():
        assert [one.strip('"') for one in writers[key]["prefixes"]] == list(prefixes)
