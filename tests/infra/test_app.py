"""The console on Google Cloud: off unless it is asked for, behind the proxy, with the least roles."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from app.settings import Settings
from contract import environment, layout
from job.cost.machine import Size
from tests.infra.terraform_source import load
from tests.infra.test_environment import _names, read_by
from tests.infra.test_image import HADOLINT

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
TEXT = (INFRA / "app.tf").read_text()
DOCKERFILE = ROOT / "docker" / "app.Dockerfile"
RUN = "20261123T020000Z-1a2b3c4d"


def test_nothing_is_made_unless_it_is_asked_for() -> None:
    blocks = re.findall(r'^resource "(\w+)" "(\w+)" \{\n\s+for_each\s+= (.+)$', TEXT, re.M)
    assert len(blocks) == len(re.findall(r"^resource ", TEXT, re.M)) > 8
    assert all("local.app" in given or "var.app == null" in given for _, _, given in blocks)
    assert str(load(INFRA).variables["app"]["default"]) in ("None", "null")


def test_the_proxy_signs_people_in_and_only_it_calls_the_service() -> None:
    resources = load(INFRA).resources
    service = resources["google_cloud_run_v2_service"]["app"]
    assert service["iap_enabled"] is True
    [template] = service["template"]
    assert template["session_affinity"] is True
    assert template["scaling"][0]["min_instance_count"] == 0
    assert "gcp-sa-iap" in resources["google_cloud_run_v2_service_iam_member"]["app"]["member"]
    assert "allUsers" not in TEXT
    name = service["name"].strip('"')
    assert f"/services/{name}" in str(load(INFRA).locals["app_env"])


def test_terraform_sets_what_the_console_reads_and_nothing_unknown() -> None:
    given = _names(load(INFRA).locals["app_env"])
    optional = {environment.APP_USER, environment.RUN_ENDPOINT}
    assert read_by(Settings, Size) - optional <= given | {environment.PROJECT}
    assert given <= read_by(Settings, Size) | {environment.PROJECT}


def test_it_writes_what_its_actions_write_and_no_lease() -> None:
    prefixes = tuple(text.strip('"') for text in load(INFRA).locals["app_prefixes"])
    written = (
        layout.config("de"),
        layout.config_version("de", 1),
        layout.draft("0" * 16),
        layout.upload("0" * 64, "a.csv"),
        layout.decision("r1", "DE", RUN),
        layout.fingerprint("f"),
        layout.paused("DE"),
        layout.current("r1", "DE"),
        layout.index(),
        layout.reconcile_clock(),
        layout.status(RUN),
        layout.event(RUN, "0" * 32),
    )
    assert [path for path in written if not path.startswith(prefixes)] == []
    for prefix in prefixes:
        assert any(path.startswith(prefix) for path in written), f"nothing is written to {prefix}"
    assert not layout.market("DE").startswith(prefixes)
    assert not layout.key("k").startswith(prefixes)


def test_it_may_stop_executions_and_start_none() -> None:
    role = load(INFRA).resources["google_project_iam_custom_role"]["canceller"]
    permissions = {text.strip('"') for text in role["permissions"]}
    assert "run.executions.cancel" in permissions
    assert not {one for one in permissions if one.startswith("run.jobs.")}


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint is not installed in .venv-tools")
def test_its_dockerfile_is_linted() -> None:
    done = subprocess.run([HADOLINT, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_its_image_has_no_r_and_runs_as_nobody_special() -> None:
    text = DOCKERFILE.read_text()
    final = text.split("\nFROM ")[-1]
    assert not re.search(r"r-base|r-cran|Rscript|debian-packages", text)
    assert "--require-hashes" in text
    user = re.search(r"^USER (\d+)$", final, re.M)
    assert user is not None
    assert int(user[1]) >= 10000
    assert re.search(r'^ENTRYPOINT \["/usr/bin/tini", "--", .*"-m", "app"\]$', final, re.M)
    bases = {
        re.findall(r"^ARG BASE=(.*)$", file.read_text(), re.M)[0]
        for file in (DOCKERFILE, ROOT / "docker" / "Dockerfile")
    }
    assert len(bases) == 1, "both images have one base"


def test_its_context_holds_what_is_copied() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE.read_text(), re.M)
        for source in line.split()[:-1]
    ]
    assert copied
    for source in copied:
        assert any(source == name or source.startswith(f"{name}/") for name in allowed), source
