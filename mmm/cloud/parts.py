"""What Terraform made: APIs, bucket, topics, subscriptions, functions, job, image, schedules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from contract import environment
from contract.exceptions import NotFoundError
from contract.run import now
from mmm.cloud.api import Api
from mmm.cloud.found import APPLY, all_of, fail, ok, warn
from mmm.cloud.installation import SERVICES, Installation
from mmm.cloud.schedules import scheduler_jobs
from mmm.machine import Check

TOPICS = ("requests", "events", "requests-dead")
LATEST_PASS = timedelta(minutes=15)  # reconcile runs every five


def apis(api: Api, one: Installation) -> Iterator[Check]:
    """Check that the APIs are enabled."""
    names = [f"projects/{one.project}/services/{name}.googleapis.com" for name in SERVICES]
    path = f"v1/projects/{one.project}/services:batchGet"
    found = api.get("serviceusage", path, {"names": names}).get("services", [])
    enabled = {s["name"].rpartition("/")[2] for s in found if s.get("state") == "ENABLED"}
    missing = [
        f"{name}.googleapis.com" for name in SERVICES if f"{name}.googleapis.com" not in enabled
    ]
    if missing:
        remedy = f"`gcloud services enable {' '.join(missing)} --project={one.project}`"
        yield fail("APIs", f"not enabled: {', '.join(missing)}", remedy)
    else:
        yield ok("APIs", f"{len(SERVICES)} are enabled")


def bucket(api: Api, one: Installation) -> Iterator[Check]:
    """Check the settings that the bucket's safety and cost depend on."""
    found = api.get("storage", f"storage/v1/b/{one.bucket}")
    access = found.get("iamConfiguration", {})
    rules = found.get("lifecycle", {}).get("rule", [])
    faults = {
        "access is not uniform": access.get("uniformBucketLevelAccess", {}).get("enabled"),
        "public access is not prevented": access.get("publicAccessPrevention") == "enforced",
        "old versions are not kept, so nothing can be restored": found.get("versioning", {}).get(
            "enabled"
        ),
        "extracts and checkpoints are never deleted": any(
            ".parquet" in rule.get("condition", {}).get("matchesSuffix", []) for rule in rules
        ),
        "old versions are never deleted": any(
            rule.get("condition", {}).get("daysSinceNoncurrentTime") for rule in rules
        ),
    }
    yield from all_of(
        "bucket",
        f"gs://{one.bucket} in {found.get('location')}",
        faults,
    )
    kept = int(found.get("softDeletePolicy", {}).get("retentionDurationSeconds", 0))
    if kept:
        yield warn(
            "bucket",
            f"soft delete keeps every heartbeat of every run for {kept / 86400:g} days",
            f"`gcloud storage buckets update gs://{one.bucket} --clear-soft-delete`",
        )


def topic(api: Api, one: Installation, key: str) -> Iterator[Check]:
    """Check that a topic exists."""
    name = api.get("pubsub", f"v1/{one.topic(key)}")["name"]
    yield ok(f"topic {key}", name)


def requests(api: Api, one: Installation) -> Iterator[Check]:
    """Check how requests reach the function, and where they go if they cannot."""
    found = api.get("pubsub", f"v1/{one.subscription('requests')}")
    push, dead = found.get("pushConfig", {}), found.get("deadLetterPolicy", {})
    account = push.get("oidcToken", {}).get("serviceAccountEmail")
    faults = {
        f"it reads {found.get('topic')}": found.get("topic") == one.topic("requests"),
        "it is detached from its topic": not found.get("detached"),
        f"it is {found.get('state')}": found.get("state", "ACTIVE") == "ACTIVE",
        "it pushes to no address": bool(push.get("pushEndpoint")),
        f"it signs in as {account}": account == one.account("push"),
        "it has no dead-letter topic": dead.get("deadLetterTopic") == one.topic("requests-dead"),
        "it has no back-off": bool(found.get("retryPolicy")),
    }
    attempts = dead.get("maxDeliveryAttempts")
    yield from all_of(
        "subscription requests",
        f"pushes to the function; after {attempts} attempts a message is a dead letter",
        faults,
    )


def dead_letters(api: Api, one: Installation) -> Iterator[Check]:
    """Check that dead letters are kept."""
    found = api.get("pubsub", f"v1/{one.subscription('requests-dead')}")
    wrong = found.get("topic") != one.topic("requests-dead")
    faults = {f"it reads {found.get('topic')}, so dead letters are lost": not wrong}
    yield from all_of("subscription requests-dead", "keeps dead letters", faults)


def function(api: Api, one: Installation, key: str) -> Iterator[Check]:
    """Check a function, its account and what it works on."""
    found = api.get("cloudfunctions", f"v2/{one.function(key)}")
    service = found.get("serviceConfig", {})
    env, account = service.get("environmentVariables", {}), service.get("serviceAccountEmail")
    said = "; ".join(message.get("message", "") for message in found.get("stateMessages", []))
    faults = {
        f"it is {found.get('state')}: {said or 'see its build'}": found.get("state") == "ACTIVE",
        f"it runs as {account}": account == one.account("trigger"),
        f"its bucket is {env.get(environment.BUCKET)}": env.get(environment.BUCKET)
        == f"gs://{one.bucket}",
        f"its job is {env.get(environment.JOB)}": env.get(environment.JOB) == one.job,
    }
    yield from all_of(f"function {key}", f"is ACTIVE as {account}", faults)


def job(api: Api, one: Installation) -> Iterator[Check]:
    """Check the job, its account and its last execution."""
    found, task = template(api, one)
    env = {e["name"]: e.get("value") for e in task["containers"][0].get("env", [])}
    account, state = task.get("serviceAccount"), found.get("terminalCondition", {})
    faults = {
        f"it is not ready: {state.get('message')}": state.get("state") == "CONDITION_SUCCEEDED",
        f"it runs as {account}": account == one.account("job"),
        f"its bucket is {env.get(environment.BUCKET)}": env.get(environment.BUCKET)
        == f"gs://{one.bucket}",
    }
    last = found.get("latestCreatedExecution", {})
    ended = last.get("completionStatus", "none yet")
    yield from all_of(
        "job",
        f"is ready as {account}; last execution: {ended}",
        faults,
    )
    if ended == "EXECUTION_FAILED":
        name = last.get("name", "").rpartition("/")[2]
        yield warn("job", f"execution {name} failed", "`mmm list --state FAILED` names the run")


def image(api: Api, one: Installation) -> Iterator[Check]:
    """Check that the job's image is in the registry, and cannot be cleaned up."""
    address = template(api, one)[1]["containers"][0]["image"]
    named, at, digest = address.partition("@")
    host, *folders = named.split("/")
    if not at or len(folders) != 3 or not host.endswith("-docker.pkg.dev"):
        yield fail("image", f"{address} is not HOST-docker.pkg.dev/P/R/NAME@sha256:…", APPLY)
        return
    project, repository, name = folders
    region = host.removesuffix("-docker.pkg.dev")
    parent = f"projects/{project}/locations/{region}/repositories/{repository}"
    try:
        found = api.get("artifactregistry", f"v1/{parent}/dockerImages/{name}@{quote(digest)}")
    except NotFoundError:
        yield fail(
            "image",
            f"{address} is not in the registry",
            "build and push it, then `terraform apply`",
        )
        return
    tags = found.get("tags", [])
    versions = ", ".join(tag for tag in tags if tag != "deployed") or "no version tag"
    yield ok("image", f"{name}@{digest[:19]}… ({versions}), uploaded {found.get('uploadTime')}")
    if "deployed" not in tags:
        remedy = f"`gcloud artifacts docker tags add {address} {named}:deployed`"
        yield warn("image", "has no tag `deployed`, so the registry may delete it", remedy)


def secrets(api: Api, one: Installation) -> Iterator[Check]:
    """Check the versions of the secrets that the job uses."""
    task = template(api, one)[1]
    used = {
        (key["secret"], key.get("version", "latest"))
        for entry in task["containers"][0].get("env", [])
        if (key := entry.get("valueSource", {}).get("secretKeyRef"))
    }
    for volume in task.get("volumes", []):
        for item in volume.get("secret", {}).get("items", []):
            used.add((volume["secret"]["secret"], item.get("version", "latest")))
    if not used:
        yield ok("secrets", "the job uses none")
    for name, version in sorted(used):
        secret = name if "/" in name else f"projects/{one.project}/secrets/{name}"
        add = f"`gcloud secrets versions add {name} --data-file=FILE`"
        try:
            state = api.get("secretmanager", f"v1/{secret}/versions/{version}").get("state")
        except NotFoundError:
            yield fail(f"secret {name}", f"has no version {version}", add)
            continue
        if state == "ENABLED":
            yield ok(f"secret {name}", f"version {version} is enabled")
        else:
            remedy = f"`gcloud secrets versions enable {version} --secret={name}`, or {add}"
            yield fail(f"secret {name}", f"version {version} is {state}", remedy)


def last_reconcile(api: Api, one: Installation) -> Iterator[Check]:
    """Check that reconcile runs."""
    name = f"{one.name}-reconcile"
    found = api.get("cloudscheduler", f"v1/{one.place}/jobs/{name}")
    at = found.get("lastAttemptTime")
    age = now() - datetime.fromisoformat(at) if at else None
    code = found.get("status", {}).get("code", 0)
    minutes = "never" if age is None else f"{age.total_seconds() / 60:.0f} min ago"
    faults = {
        f"its schedule is {found.get('state')}": found.get("state") == "ENABLED",
        f"its last call was {minutes}": age is not None and age <= LATEST_PASS,
        f"its last call failed with code {code}": code == 0,
    }
    yield from all_of(
        "reconcile",
        f"last call {minutes}",
        faults,
        remedy=f"`gcloud scheduler jobs run {name} --location={one.region}`, then read the "
        f"function's log; if it is paused, `gcloud scheduler jobs resume`",
    )


def schedules(api: Api, one: Installation) -> Iterator[Check]:
    """Check that the schedules could publish their last requests."""
    prefix = f"{one.place}/jobs/{one.name}-request-"
    found = scheduler_jobs(api, one.place)
    own = [entry for entry in found if entry["name"].startswith(prefix)]
    failed = [entry for entry in own if entry.get("status", {}).get("code", 0)]
    paused = sum(entry.get("state") != "ENABLED" for entry in own)
    yield from all_of(
        "schedules",
        f"{len(own)}, of which {paused} are paused",
        {
            f"{entry['name'].rpartition('/')[2]} failed with code {entry['status']['code']}": False
            for entry in failed
        },
        remedy="look at its log; Cloud Scheduler's service agent publishes to the topic",
    )


def template(api: Api, one: Installation) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the job, and the template of its tasks."""
    found = api.get("run", f"v2/{one.job}")
    return found, found["template"]["template"]
