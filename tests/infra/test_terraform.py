"""Terraform: format, schema, references, policy, the README's example."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import hcl2
import pytest

from contract import layout, retries
from job.attempt.tasks import GO, MERGE
from job.pipeline import SNAPSHOT
from job.posterior.step import DRAWS, WITHOUT_TESTS
from mmm.bigquery import definitions, statements
from tests.infra.make_google_schema import used_types
from tests.infra.terraform_check import SCHEMA, call_problems, problems
from tests.infra.terraform_source import Module, load, read_into

ROOT = Path(__file__).parent.parent.parent
INFRA = ROOT / "infra"
EXAMPLE = INFRA / "examples" / "basic"
CHECKOV = ROOT / ".venv-tools" / "bin" / "checkov"


def parse(text: str) -> Module:
    module = Module()
    read_into(module, hcl2.loads(text))
    return module


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_format() -> None:
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", "-recursive", INFRA],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_schema_covers_what_is_used() -> None:
    assert {kind: sorted(SCHEMA[kind]) for kind in ("resource", "data")} == used_types()


def test_versions_pin_what_was_checked() -> None:
    text = (INFRA / "versions.tf").read_text()
    pinned = dict(re.findall(r'source  = "hashicorp/(\w+)"\s+version = "~> ([\d.]+)"', text))
    assert pinned == {
        name: version.rpartition(".")[0] for name, version in SCHEMA["versions"].items()
    }


def test_module_has_no_problems() -> None:
    assert problems(load(INFRA)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('resource "google_pubsub_topic" "a" { nmae = "x" }', "argument `nmae` is unknown"),
        ('resource "google_pubsub_topic" "a" { labels = {} }', "`name` is missing"),
        ('resource "google_pubsub_tpoic" "a" {}', "no resource `google_pubsub_tpoic`"),
        (
            """
            resource "google_pubsub_subscription" "a" {
              name = "x"
              topic = "y"
              dead_letter_policy { max_delivery_attempt = 5 }
            }
            """,
            "dead_letter_policy: argument `max_delivery_attempt` is unknown",
        ),
        (
            """
            resource "google_pubsub_subscription" "a" {
              name = "x"
              topic = "y"
              push_config {}
            }
            """,
            "push_config: `push_endpoint` is missing",
        ),
        (
            """
            resource "google_pubsub_subscription" "a" {
              name = "x"
              topic = "y"
              retry_policy { minimum_backoff = "1s" }
              retry_policy { minimum_backoff = "2s" }
            }
            """,
            "block `retry_policy` is given 2 times",
        ),
        (
            """
            resource "google_pubsub_subscription" "a" {
              name = "x"
              topic = "y"
              ack_deadline_seconds = "soon"
            }
            """,
            "a number is needed",
        ),
        (
            """
            resource "google_cloud_run_v2_job" "a" {
              name = "x"
              location = "y"
              template { template { dynamic "container" {
                for_each = []
                content { image = "z" }
              } } }
            }
            """,
            "block `container` is unknown",
        ),
        ('output "a" { value = var.nothing }', "`var.nothing`: there is no such variable"),
        ('output "a" { value = "x-${local.nothing}" }', "`local.nothing`: there is no such local"),
        (
            """
            variable "a" { type = object({ b = optional(map(string), {}), c = string }) }
            output "a" { value = var.a.d }
            """,
            "`var.a.d`: the variable has b, c",
        ),
        (
            """
            resource "google_pubsub_topic" "a" { name = "x" }
            output "a" { value = google_pubsub_topic.a.uri }
            """,
            "`google_pubsub_topic` has no `uri`",
        ),
        ('output "a" { value = google_pubsub_topic.b.id }', "there is no such resource"),
        ('output "a" { value = data.google_project.b.number }', "there is no such data"),
        ('variable "a" { type = string }', "var.a is never used"),
    ],
)
def test_checker_finds(text: str, said: str) -> None:
    found = problems(parse(text))
    assert any(said in problem for problem in found), found


def test_every_variable_is_described_typed_and_sorted() -> None:
    variables = load(INFRA).variables
    for name, body in variables.items():
        assert body.get("description"), name
        assert body.get("type"), name
        assert body.get("nullable") is False or body.get("default", "") is None, name
    assert list(variables) == sorted(variables)


def test_example_fits_the_module() -> None:
    example = load(EXAMPLE)
    assert list(call_problems("module.mmm", example.calls["mmm"], load(INFRA))) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cpu ", "cpus ", "module.mmm.job: unknown field `cpus`"),
        ("schedules = {", "schedule = {", "module.mmm: the module has no variable `schedule`"),
        ('cron = "0 2 * * *", ', "", "module.mmm.schedules: `cron` is missing"),
        ('bucket  = { name = "${var.project_id}-mmm" }', "", "module.mmm: `bucket` is missing"),
    ],
)
def test_example_check_finds(old: str, new: str, said: str) -> None:
    text = (EXAMPLE / "main.tf").read_text()
    assert old in text
    call = parse(text.replace(old, new)).calls["mmm"]
    assert said in list(call_problems("module.mmm", call, load(INFRA)))


def test_readme_shows_the_example() -> None:
    shown = re.findall(r"```hcl\n(.*?)```", (INFRA / "README.md").read_text(), re.S)
    assert shown == [(EXAMPLE / "main.tf").read_text()]


def test_readme_names_every_variable_and_output() -> None:
    readme, module = (INFRA / "README.md").read_text(), load(INFRA)
    for name in [*module.variables, *module.outputs]:
        assert f"`{name}`" in readme, name


def test_no_secret_value_is_in_terraform() -> None:
    assert not any("secret_version" in name for name in load(INFRA).resources)


def test_lifecycle_rules_take_work_files_and_nothing_else() -> None:
    bucket = load(INFRA).resources["google_storage_bucket"]["data"]
    rules = [rule["condition"][0] for rule in bucket["lifecycle_rule"]]
    [rule] = [rule for rule in rules if "matches_suffix" in rule]
    prefixes = tuple(text.strip('"') for text in rule["matches_prefix"])
    suffixes = tuple(text.strip('"') for text in rule["matches_suffix"])

    def removed(path: str) -> bool:
        return path.startswith(prefixes) and path.endswith(suffixes)

    run = "20261123T020000Z-1a2b3c4d"
    names = (SNAPSHOT, GO, MERGE, DRAWS, WITHOUT_TESTS, "trials/trial_1.rds")
    assert all(removed(layout.work(run, name)) for name in names)
    kept = (
        layout.request(run),
        layout.status(run),
        layout.lease(run),
        layout.lease(run, 2),
        layout.event(run, "0" * 32),
        layout.key("k"),
        layout.artifacts("r1", "DE", run, "tables/models.parquet"),
        layout.artifacts("r1", "DE", run, "OutputModels.RDS"),
        layout.current("r1", "DE"),
        "configs/de.yaml",
    )
    assert not any(removed(path) for path in kept)


def test_writers_reach_their_own_prefixes_only() -> None:
    allowed = {
        who: {prefix.strip('"') for prefix in writer["prefixes"]}
        for who, writer in load(INFRA).locals["writers"].items()
    }
    run = "20261123T020000Z-1a2b3c4d"
    common = {layout.status(run), layout.key("k"), layout.rejected("h")}
    robyn = {
        layout.manifest("r1", "DE", run),
        layout.current("r1", "DE"),
        layout.fingerprint("f"),
        layout.decision("r1", "DE", run),
    }
    limits = {layout.market("DE"), layout.today()}
    own = {"trigger": common | {layout.closed_runs()}, "job": common | robyn | limits}
    allowed["trigger"].remove(layout.index())  # this page, and no artifact
    for who, paths in own.items():
        assert allowed.pop(who) == {path.split("/")[0] + "/" for path in paths}
    assert not allowed


def test_tables_in_bigquery_are_those_of_the_export() -> None:
    """`docs/` and CI compare bigquery.json with the code; here, what Terraform makes of it."""
    assert (INFRA / "bigquery.json").read_text() == definitions()
    module = load(INFRA)
    [external] = module.resources["google_bigquery_table"]["external"][
        "external_data_configuration"
    ]
    used = set(re.findall(r"each\.value\.(\w+)", json.dumps(external)))
    document = json.loads((INFRA / "bigquery.json").read_text())
    assert all(used == set(table) for table in document["external"].values())
    made = {statement.name for statement in statements("gs://acme", "acme-proj.mmm")}
    assert made == {*document["external"], *document["views"]}


def test_readers_of_results_may_only_read() -> None:
    resources = load(INFRA).resources
    roles = {
        resources[kind]["results"]["role"].strip('"')
        for kind in ("google_bigquery_dataset_iam_member", "google_storage_bucket_iam_member")
    }
    assert roles == {"roles/bigquery.dataViewer", "roles/storage.objectViewer"}


@pytest.mark.slow
@pytest.mark.skipif(not CHECKOV.exists(), reason="checkov is not installed in .venv-tools")
def test_policy() -> None:
    done = subprocess.run(
        [CHECKOV, "-d", INFRA, "--framework", "terraform", "--skip-download", "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["summary"]["resource_count"] > 0, done.stderr
    failed = [f"{c['check_id']} {c['resource']}" for c in report["results"]["failed_checks"]]
    assert failed == []
    skipped = report["results"]["skipped_checks"]
    assert all(len(c["check_result"]["suppress_comment"]) > 20 for c in skipped)


def test_archive_entry_point_is_the_functions() -> None:
    functions = load(INFRA).locals["functions"]
    entry_points = {function["entry_point"].strip('"') for function in functions.values()}
    code = "from trigger import archive; print(archive.MAIN)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert entry_points <= set(re.findall(r"\w+", done.stdout))


def test_an_instance_has_a_thread_for_every_request() -> None:
    function = load(INFRA).resources["google_cloudfunctions2_function"]["this"]
    [service] = function["service_config"]
    assert service["max_instance_request_concurrency"] == "${local.threads}"
    assert re.search(r"THREADS\W+\$?\{?tostring\(local.threads\)", str(service))


def test_alerts_use_no_metric_of_our_own() -> None:
    """A metric of one's own can be used only minutes after it is created."""
    module = load(INFRA)
    assert "google_logging_metric" not in module.resources
    assert "logging.googleapis.com/user/" not in (INFRA / "monitoring.tf").read_text()


def test_a_bound_api_comes_first() -> None:
    """Accounts, roles and repositories cannot be created before their API is enabled."""
    module = load(INFRA)
    for kind in (
        "google_artifact_registry_repository",
        "google_cloud_run_v2_job",
        "google_monitoring_alert_policy",
        "google_project_iam_custom_role",
        "google_pubsub_topic",
        "google_secret_manager_secret",
        "google_service_account",
        "google_storage_bucket",
    ):
        for name, body in module.resources[kind].items():
            assert "google_project_service.this" in str(body.get("depends_on")), f"{kind}.{name}"


def test_what_is_built_or_checked_once_waits_for_its_grants() -> None:
    module = load(INFRA)
    kinds = (
        "google_cloudfunctions2_function", "google_cloud_run_v2_job", "google_cloud_run_v2_service",
    )  # fmt: skip
    for kind in kinds:
        for name, body in module.resources[kind].items():
            assert "time_sleep.grants" in str(body["depends_on"]), f"{kind}.{name}"
    waits = str(module.resources["time_sleep"]["grants"]["depends_on"])
    for name in module.resources["google_secret_manager_secret_iam_member"]:
        assert f"google_secret_manager_secret_iam_member.{name}" in waits


def test_tests_of_terraform_name_what_the_module_has() -> None:
    """`terraform test` needs the provider's binary, so its files are read here."""
    module = load(INFRA)
    files = sorted((INFRA / "tests").glob("*.tftest.hcl"))
    assert files
    for file in files:
        text = file.read_text()
        document = hcl2.loads(text)
        used = set(re.findall(r"\b(google_\w+)\.(\w+)", re.sub(r"#.*", "", text)))
        assert {
            (kind, name) for kind, name in used if name not in module.resources.get(kind, {})
        } == set()
        mocked = re.findall(r'mock_(?:resource|data) "(\w+)"', text)
        assert set(mocked) <= module.resources.keys() | module.data.keys()
        assert set(re.findall(r"var\.(\w+)", text)) <= module.variables.keys()
        given = [
            block
            for run in document["run"]
            for body in run.values()
            for block in body.get("variables", [])
        ]
        given += document["variables"]
        names = {name for block in given for name in block if not name.startswith("__")}
        assert names <= module.variables.keys()
        required = {name for name, body in module.variables.items() if "default" not in body}
        assert required <= {name for block in document["variables"] for name in block}


def test_messages_and_schedules_outlast_a_late_grant() -> None:
    """Until a 403 counts as permanent, Pub/Sub delivers again and Cloud Scheduler publishes again."""

    def waits(count: int, first: int, most: int) -> int:
        return sum(min(first * 2**number, most) for number in range(count))

    def seconds(text: str) -> int:
        return int(text.strip('"').removesuffix("s"))

    module, grant = load(INFRA), retries.GRANT.total_seconds()
    given = dict(
        re.findall(
            r'(\w+)\s*=\s*optional\(\w+, "?(\d+)s?"?\)', (INFRA / "variables.tf").read_text()
        )
    )
    deliveries, *backoff = (
        int(given[name]) for name in ("max_delivery_attempts", "minimum_backoff", "maximum_backoff")
    )
    assert waits(deliveries - 1, *backoff) > 2 * grant  # the waits are random
    [retry] = module.resources["google_cloud_scheduler_job"]["request"]["retry_config"]
    assert int(retry["retry_count"]) <= 5  # more are refused
    backoff = [seconds(retry[f"{name}_backoff_duration"]) for name in ("min", "max")]
    assert waits(int(retry["retry_count"]), *backoff) > grant
