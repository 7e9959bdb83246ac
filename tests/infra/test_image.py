"""The image's files: linted, free of this or that machine's names, copying only what they may."""

from __future__ import annotations

import ast
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.training import Optimiser

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = ROOT / "docker" / "Dockerfile"
HADOLINT = ROOT / ".venv-tools" / "bin" / "hadolint"
PUBLIC_HOSTS = {
    "deb.debian.org",
    "packagemanager.posit.co",
    "cloud.r-project.org",
    "mmm-trigger.a.run.app",  # a made-up function, in the tests of infra/
}


def text_files() -> list[Path]:
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "docker", "infra", ".dockerignore"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    return [ROOT / name for name in tracked]


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint is not installed in .venv-tools")
def test_dockerfile_is_linted() -> None:
    done = subprocess.run([HADOLINT, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("script", sorted((ROOT / "docker").glob("**/*.sh")), ids=lambda p: p.name)
def test_scripts_parse(script: Path) -> None:
    done = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert os.access(script, os.X_OK)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_files_name_public_hosts_and_no_machine_path() -> None:
    files = text_files()
    if not files:
        pytest.skip("not a git checkout")
    for file in files:
        text = file.read_text()
        hosts = {host.lower() for host in re.findall(r"https?://([\w.-]+)", text)}
        assert hosts <= PUBLIC_HOSTS, file
        assert not re.search(r"(?<![\w.>])/(?:work/(?!go|merge)|root/|home/)", text), file


def test_context_holds_what_is_copied() -> None:
    allowed = [
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE.read_text(), re.M)
        for source in line.split()[:-1]
    ]
    assert copied
    for source in copied:
        assert any(source == name or source.startswith(f"{name}/") for name in allowed), source


def test_the_base_is_pinned_by_its_digest() -> None:
    bases = re.findall(r"^ARG BASE=(.*)$", DOCKERFILE.read_text(), re.M)
    assert [bool(re.search(r"@sha256:[0-9a-f]{64}$", base)) for base in bases] == [True]


def stages() -> list[str]:
    """The Dockerfile's stages; each begins with its base."""
    return DOCKERFILE.read_text().split("\nFROM ")[1:]


def test_image_runs_as_nobody_special_with_an_init() -> None:
    final = stages()[-1]
    user = re.search(r"^USER (\d+)$", final, re.M)
    assert user is not None
    assert int(user.group(1)) >= 10000
    assert re.search(r'^ENTRYPOINT \["/usr/bin/tini", "--", .*"-m", "job"\]$', final, re.M)
    assert "r-base-dev" not in final


def test_image_leaves_out_the_packages_of_the_tests() -> None:
    commands = set(re.findall(r"sed '([^']*)' /tmp/debian-packages.txt", DOCKERFILE.read_text()))
    assert len(commands) == 1
    listed = ROOT / "r" / "debian-packages.txt"
    done = subprocess.run(
        ["sed", *commands, listed], capture_output=True, text=True, check=True
    ).stdout.split()
    whole = {line for line in listed.read_text().split() if line.startswith("r-cran-")}
    assert whole - set(done) == {"r-cran-cyclocomp", "r-cran-lintr", "r-cran-testthat"}
    assert len(done) == len(set(done)) > 20


def test_image_holds_the_installed_project_and_no_other_version() -> None:
    image, _, final = stages()[-3:]
    assert "COPY --from=project /opt/project /opt/venv" in image
    assert final.startswith("image\n")
    shipped = image + final
    assert not re.search(r"^COPY (contract|job|mmm|trigger)", shipped, re.M)
    assert not re.search(r"\d+\.\d+\.\d+", shipped), "pyproject.toml alone has the version"


def test_image_is_built_only_if_it_trains_and_lists_what_it_contains() -> None:
    _, tried, final = stages()[-3:]
    assert tried.startswith("image AS tried\n")
    assert re.search(r"^USER 4242$", tried, re.M), "a user without an account"
    assert re.search(r"^RUN python smoke.py .*> /tmp/smoke.json", tried, re.M)
    assert "COPY --from=tried /tmp/smoke.json /tmp/sbom.cdx.json /app/" in final


def test_every_build_is_for_amd64() -> None:
    """Cloud Run has no other; a laptop may."""
    parts = [path for path in (ROOT / "docker").iterdir() if path.is_file()]
    files = [ROOT / "docs" / "deploy.md", ROOT / "CONTRIBUTING.md", *parts]
    builds = [
        line
        for file in files
        for line in re.sub(r"\\\n", " ", file.read_text()).splitlines()
        if re.search(r"(docker|buildah|podman) (buildx )?(build|bud) ", line) and "`" not in line
    ]
    assert builds
    for line in builds:
        assert re.search(r"--platform[ =]linux/amd64", line), line


def test_environment_is_installed_by_hashes() -> None:
    assert "--require-hashes" in DOCKERFILE.read_text()
    requirements = (ROOT / "job" / "requirements.txt").read_text()
    packages = re.findall(r"^([\w.-]+(?:\[[\w,-]+\])?)==", requirements, re.M)
    entries = re.split(r"\n(?=\S)", requirements.strip())
    hashed = [entry for entry in entries if "--hash=sha256:" in entry]
    assert len(hashed) == len(packages) > 0


@pytest.mark.parametrize(
    ("arguments", "code"), [(["-qDEB_HOST_MULTIARCH"], 0), (["-qDEB_HOST_ARCH"], 2), ([], 2)]
)
def test_machine_name(arguments: list[str], code: int) -> None:
    if not list(Path("/usr/lib").glob("*-linux-gnu")):
        pytest.skip("not a Debian-like machine")
    script = ROOT / "docker" / "dpkg-architecture"
    done = subprocess.run([script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code
    if code == 0:
        assert re.fullmatch(r"\w+-linux-gnu\w*\n", done.stdout)


def test_bytecode_is_made_of_every_package_that_a_job_imports() -> None:
    """`docker/slim-python` removes what pip wrote; the build imports these modules afterwards."""
    only_trigger = {"cloudevents", "flask", "functions_framework", "werkzeug"}
    own = {"contract", "job", "mmm", "trigger"}
    names = {
        name
        for package in own
        for file in (ROOT / package).rglob("*.py")
        for name in imports(file)
        if name.split(".")[0] not in own | only_trigger | sys.stdlib_module_names
    }
    made = runpy.run_path(str(ROOT / "docker" / "load-modules.py"))["MODULES"]
    missing = {name for name in names if not any(f"{one}.".startswith(f"{name}.") for one in made)}
    assert {name.split(".")[0] for name in missing} <= {one.split(".")[0] for one in made}
    big = {name for name in names if name.startswith(("google.cloud.", "pyarrow.", "snowflake."))}
    assert missing & big == set()


def test_nevergrad_keeps_what_the_optimisers_of_a_config_load() -> None:
    tried = ast.parse((ROOT / "docker" / "load-nevergrad.py").read_text())
    [names] = [
        ast.literal_eval(node.value)
        for node in tried.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "OPTIMISERS"
    ]
    assert sorted(names) == sorted(Optimiser)


def imports(file: Path) -> Iterator[str]:
    """Yield the full names of the modules that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module)
            if node.module == "google.cloud":
                yield from (f"google.cloud.{alias.name}" for alias in node.names)
