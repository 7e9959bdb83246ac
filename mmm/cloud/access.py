"""What the service accounts may do: tested as these accounts, and read from the bucket's policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from contract.exceptions import DeniedError
from mmm.cloud.api import Api
from mmm.cloud.found import APPLY, all_of, warn
from mmm.cloud.installation import WRITERS, Installation
from mmm.machine import Check

READ = ("storage.objects.get", "storage.objects.list")
PUBLISH = ("pubsub.topics.publish",)
LAUNCH = ("run.jobs.run", "run.jobs.runWithOverrides")


def bucket_policy(api: Api, one: Installation) -> Iterator[Check]:
    """Check that function and job may write below their own prefixes, and nobody is public.

    These grants have a condition on the object's name, which no test on the bucket can see.
    """
    path = f"storage/v1/b/{one.bucket}/iam"
    policy = api.get("storage", path, {"optionsRequestedPolicyVersion": "3"})
    bindings = policy.get("bindings", [])
    faults: dict[str, bool] = {}
    for key, prefixes in WRITERS.items():
        member = f"serviceAccount:{one.account(key)}"
        granted = " ".join(
            binding.get("condition", {}).get("expression", "")
            for binding in bindings
            if binding["role"] == "roles/storage.objectUser" and member in binding["members"]
        )
        missing = [p for p in prefixes if f"/buckets/{one.bucket}/objects/{p}" not in granted]
        if missing:
            faults[f"{one.account(key)} may not write below {', '.join(missing)}"] = False
    public = [
        b["role"] for b in bindings if {"allUsers", "allAuthenticatedUsers"} & {*b["members"]}
    ]
    faults |= {f"everybody has {role}": False for role in public}
    yield from all_of("bucket policy", "function and job write below their own prefixes", faults)


def trigger(api: Api, one: Installation) -> Iterator[Check]:
    """Check the function's account: bucket, topic and job."""
    yield from _account(
        api,
        one,
        "trigger",
        [
            _on_bucket(one),
            _on_topic(one),
            (LAUNCH, lambda a: _test(a, "run", f"v2/{one.job}", LAUNCH)),
        ],
    )


def job(api: Api, one: Installation) -> Iterator[Check]:
    """Check the job's account: bucket and topic."""
    yield from _account(api, one, "job", [_on_bucket(one), _on_topic(one)])


Test = tuple[Sequence[str], Callable[[Api], set[str]]]


def _account(api: Api, one: Installation, key: str, tests: Sequence[Test]) -> Iterator[Check]:
    name, email = f"account {key}", one.account(key)
    try:
        own = api.as_account(email)
    except DeniedError:
        yield warn(
            name,
            f"this account may not act as {email}, so its roles are not tested",
            f"`gcloud iam service-accounts add-iam-policy-binding {email} "
            "--role=roles/iam.serviceAccountTokenCreator --member=YOU`",
        )
        return
    facts = {
        f"{email} lacks {permission}": permission in granted
        for wanted, test in tests
        for granted in [test(own)]
        for permission in wanted
    }
    yield from all_of(
        name,
        f"{email} has the {len(facts)} permissions that it needs",
        facts,
        remedy=f"{APPLY}; a new grant takes minutes to come into force",
    )


def _on_bucket(one: Installation) -> Test:
    path = f"storage/v1/b/{one.bucket}/iam/testPermissions"
    return READ, lambda own: set(
        own.get("storage", path, {"permissions": list(READ)}).get("permissions", [])
    )


def _on_topic(one: Installation) -> Test:
    return PUBLISH, lambda own: _test(own, "pubsub", f"v1/{one.topic('events')}", PUBLISH)


def _test(own: Api, service: str, resource: str, permissions: Sequence[str]) -> set[str]:
    body = {"permissions": list(permissions)}
    return set(own.post(service, f"{resource}:testIamPermissions", body).get("permissions", []))
