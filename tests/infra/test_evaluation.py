"""The module's variables, locals and messages, computed by Terraform itself.

Without the provider's binary Terraform cannot plan resources. Variables, their validations, locals
and single expressions need none: they are copied into a module of their own, in which every
attribute of a resource is the text of its address.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from contract.base import sha256_hex
from contract.message import parse_message

ROOT = Path(__file__).parent.parent.parent
INFRA = ROOT / "infra"
TERRAFORM = shutil.which("terraform")
ADDRESS = re.compile(r"\b(?:data\.)?google_\w+\.\w+(?:\[[\w.]+\])?(?:\.\w+(?:\[\d+\])?)*")
BLOCK = re.compile(r'^(?:locals|variable "\w+") \{\n.*?^\}$', re.M | re.S)

pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed")


def stubbed(text: str) -> str:
    """An expression in which every resource's attribute is a text."""
    return ADDRESS.sub(lambda match: json.dumps(match.group(0)), text)


def module_text() -> str:
    blocks = [b for file in sorted(INFRA.glob("*.tf")) for b in BLOCK.findall(file.read_text())]
    names = sorted(
        set(re.findall(r"^  (\w+) += ", "\n".join(b for b in blocks if b[0] == "l"), re.M))
    )
    data = re.search(
        r"base64encode\((jsonencode\(.*?\n    \)\))\)", (INFRA / "scheduler.tf").read_text(), re.S
    )
    assert data is not None
    message = stubbed(data.group(1)).replace("each.value", "schedule")
    return "\n".join(
        [
            *(stubbed(block) for block in blocks),
            *(f'output "{name}" {{\n  value = local.{name}\n}}' for name in names),
            'output "messages" {',
            f"  value = {{ for name, schedule in var.schedules : name => {message} }}",
            "}",
        ]
    )


def terraform(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    config = folder / "none.tfrc"
    config.touch()
    return subprocess.run(
        [str(TERRAFORM), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TF_CLI_CONFIG_FILE": str(config), "CHECKPOINT_DISABLE": "1"},
    )


def evaluate(folder: Path, example: str) -> tuple[dict[str, Any], str]:
    """Outputs of the module called as in the example, and what Terraform said."""
    (folder / "module").mkdir()
    (folder / "module" / "main.tf").write_text(module_text())
    shutil.copy(INFRA / "bigquery.json", folder / "module")
    local = re.sub(r"^(terraform |provider [^{]*)\{\n.*?^\}$", "", example, flags=re.M | re.S)
    (folder / "main.tf").write_text(local.replace('"../.."', '"./module"'))
    assert (done := terraform(folder, "init", "-backend=false")).returncode == 0, done.stderr
    done = terraform(folder, "apply", "-auto-approve", "-no-color", "-var=project_id=my-project")
    if done.returncode != 0:
        return {}, re.sub(r"[│╷╵\s]+", " ", done.stderr)
    shown = terraform(folder, "output", "-json", "mmm")
    return json.loads(shown.stdout), ""


def example() -> str:
    return (INFRA / "examples" / "basic" / "main.tf").read_text()


SECRETS = """
  secrets = {
    snowflake-key = {
      file     = "/secrets/snowflake/key.p8"
      file_env = "SNOWFLAKE_PRIVATE_KEY_FILE"
    }
    snowflake-passphrase = { env = "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", version = "1" }
  }
"""


def example_with_secrets() -> str:
    return example().replace("  schedules = {", f"{SECRETS}  schedules = {{")


def test_example_is_computed(tmp_path: Path) -> None:
    outputs, said = evaluate(tmp_path, example())
    assert said == ""
    assert outputs["job_env"] == {
        "MMM_BUCKET": "google_storage_bucket.data.url",
        "MMM_EVENTS_TOPIC": "google_pubsub_topic.events.id",
        "MMM_IMAGE": "europe-west1-docker.pkg.dev/none/mmm/job@sha256:" + "0" * 64,
        "MMM_MAX_RETRIES": "1",
        "MMM_CPU": "4",
        "MMM_MEMORY": "8Gi",
        "MMM_REGION": "europe-west1",
        "SNOWFLAKE_ACCOUNT": "myorg-myaccount",
        "SNOWFLAKE_AUTHENTICATOR": "WORKLOAD_IDENTITY",
        "SNOWFLAKE_ROLE": "MMM_READER",
        "SNOWFLAKE_WAREHOUSE": "MMM_WH",
    }
    assert outputs["results_tables"] == outputs["results_views"] == {}  # only if asked for
    assert "bigquery.googleapis.com" not in outputs["services"]
    assert list(outputs["metric_alerts"]) == ["dead-letters", "failed-executions"]
    assert list(outputs["log_alerts"]) == ["job-errors", "reconcile-errors", "trigger-errors"]
    for text in outputs["messages"].values():
        message = parse_message(
            text.replace("google_storage_bucket.data.url", "gs://my-project-mmm").encode()
        )
        assert message.config_uri is not None
        assert re.fullmatch(r"gs://my-project-mmm/configs/(de|fr)\.yaml", message.config_uri)


def test_a_snowflake_secret_replaces_the_workload_identity(tmp_path: Path) -> None:
    outputs, said = evaluate(tmp_path, example_with_secrets())
    assert said == ""
    assert outputs["job_env"]["SNOWFLAKE_PRIVATE_KEY_FILE"] == "/secrets/snowflake/key.p8"
    assert "SNOWFLAKE_AUTHENTICATOR" not in outputs["job_env"]
    assert outputs["secret_env"]["snowflake-passphrase"]["version"] == "1"


def test_bigquery_job_project_reaches_the_job(tmp_path: Path) -> None:
    text = example().replace(
        "  schedules = {",
        '  bigquery = { job_project = "payer", datasets = ["data.mmm"] }\n\n  schedules = {',
    )
    outputs, said = evaluate(tmp_path, text)
    assert said == ""
    assert outputs["job_env"]["MMM_PROJECT"] == "payer"
    assert {"bigquery.googleapis.com", "bigquerystorage.googleapis.com"} <= {*outputs["services"]}


def test_what_is_asked_for_enables_its_api(tmp_path: Path) -> None:
    text = example().replace(
        "  schedules = {",
        '  budget = { billing_account = "0", amount = 200, currency = "EUR" }\n\n  schedules = {',
    )
    outputs, said = evaluate(tmp_path, text.replace('cpu    = "4"', "binary_authorization = true"))
    assert said == ""
    wanted = {"billingbudgets.googleapis.com", "binaryauthorization.googleapis.com"}
    assert wanted <= {*outputs["services"]}


def test_schedule_with_markets_and_overrides_is_a_request(tmp_path: Path) -> None:
    text = example().replace(
        'config = "configs/fr.yaml",',
        'config = "configs/fr.yaml", markets = ["FR", "BE"],'
        " overrides = jsonencode({ training = { seed = 7 } }),",
    )
    outputs, said = evaluate(tmp_path, text)
    assert said == ""
    sent = outputs["messages"]["fr"].replace("google_storage_bucket.data.url", "gs://b")
    message = parse_message(sent.encode())
    assert message.markets == ["FR", "BE"]
    assert message.overrides == {"training": {"seed": 7}}


def test_schedules_are_spread_by_their_names(tmp_path: Path) -> None:
    many = "\n".join(
        f'm{n} = {{ config = "configs/m{n}.yaml", cron = "15 2 * * 1-5", spread_minutes = 45 }}'
        for n in range(200)
    )
    outputs, said = evaluate(
        tmp_path, example().replace("  schedules = {", f"  schedules = {{\n{many}")
    )
    assert said == ""
    crons = outputs["crons"]
    assert (crons["de"], crons["fr"]) == ("0 2 * * *", "30 2 * * *")
    assert crons["m0"] == f"{15 + int(sha256_hex(b'm0')[:8], 16) % 45} 2 * * 1-5"
    minutes = Counter(int(crons[f"m{n}"].split()[0]) for n in range(200))
    assert min(minutes) >= 15
    assert max(minutes) <= 59
    assert max(minutes.values()) <= 12  # 200 schedules over 45 minutes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("@sha256:", ":latest-", "job.image must name the image by its digest"),
        ('cpu    = "4"', "timeout_seconds = 60", "job.timeout_seconds must be between 300"),
        ('cpu    = "4"', "max_retries = 11", "job.max_retries must be between 0 and 10"),
        (
            'env = "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", ',
            "",
            "must have exactly one of `env` and `file`",
        ),
        (', version = "1"', "", "must name its `version` by number"),
        (
            '{ name = "${var.project_id}-mmm" }',
            '{ name = "${var.project_id}-mmm", old_version_days = 0 }',
            "must be whole numbers of at least 1",
        ),
        ('"/secrets/snowflake/key.p8"', '"/key.p8"', "must be an absolute path with a folder"),
        (
            'cron = "0 2 * * *"',
            'cron = "0 2 * * *", overrides = "[1]"',
            "must be the JSON text of an",
        ),
        (
            "  schedules = {",
            '  budget = { billing_account = "0", amount = 0.5, currency = "EUR" }\n\n  schedules = {',
            "budget.amount must be a whole number of at least 1",
        ),
        (
            'cron = "30 2 * * *"',
            'cron = "30 2 * * *", spread_minutes = 45',
            "both may be 60 together",
        ),
        (
            'cron = "30 2 * * *"',
            'cron = "*/5 2 * * *", spread_minutes = 5',
            "the minute of `cron` must be a number",
        ),
        (
            "project_id = var.project_id",
            'project_id = var.project_id\n  name = "MMM"',
            "name must be 3 to 20",
        ),
        (
            "project_id = var.project_id",
            "project_id = null",
            "required variable may not be set to null",
        ),
    ],
)
def test_wrong_values_are_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in example_with_secrets()
    outputs, error = evaluate(tmp_path, example_with_secrets().replace(old, new))
    assert outputs == {}
    assert said in error


def test_results_in_bigquery(tmp_path: Path) -> None:
    asked = 'results = { readers = ["group:analysts@example.com"] }'
    outputs, said = evaluate(
        tmp_path, example().replace("  schedules = {", f"  {asked}\n  schedules = {{")
    )
    assert said == ""
    assert outputs["results_place"] == "my-project.mmm"
    assert outputs["results_readers"] == ["group:analysts@example.com"]
    assert {"all_models", "all_statuses"} < set(outputs["results_tables"])
    assert {"runs", "models"} < set(outputs["results_views"])
    assert "bigquery.googleapis.com" in outputs["services"]
    wrong = asked.replace("readers", 'dataset = "a-b", readers')
    folder = tmp_path / "wrong"
    folder.mkdir()
    _, said = evaluate(folder, example().replace("  schedules = {", f"  {wrong}\n  schedules = {{"))
    assert "results.dataset must have only letters" in said
