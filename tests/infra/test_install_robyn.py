"""`docker/install-robyn.R` against a CRAN-like server on this machine, with packages of its own."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "docker" / "install-robyn.R"
LOCK = ROOT / "docker" / "robyn.lock"

pytestmark = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def cran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """A server with `mmmbase` 1.0 in its archive and `mmmtop` 2.0, which imports it."""
    folder = tmp_path_factory.mktemp("cran")
    contrib = folder / "2026-01-02" / "src" / "contrib"
    archive = contrib / "Archive" / "mmmbase"
    archive.mkdir(parents=True)
    (contrib / "PACKAGES.gz").write_bytes(b"x")
    hashes = {}
    for name, version, imports, where in (
        ("mmmbase", "1.0", "", archive),
        ("mmmtop", "2.0", "Imports: mmmbase\n", contrib),
    ):
        source = folder / name
        (source / "R").mkdir(parents=True)
        (source / "DESCRIPTION").write_text(
            f"Package: {name}\nVersion: {version}\nTitle: T\nDescription: D.\n{imports}"
            "License: MIT\nAuthor: A\nMaintainer: A <a@example.com>\n"
        )
        (source / "NAMESPACE").write_text("export(f)\n")
        (source / "R" / "f.R").write_text("f <- function() 1\n")
        subprocess.run(["R", "CMD", "build", source], cwd=where, capture_output=True, check=True)
        [built] = where.glob(f"{name}_*.tar.gz")
        hashes[name] = hashlib.sha256(built.read_bytes()).hexdigest()
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/{{snapshot}}", hashes
        server.shutdown()
        thread.join()


def install(library: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["Rscript", "--vanilla", SCRIPT, f"--library={library}", "--timeout=5", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def lock(path: Path, base: str, top: str) -> str:
    path.write_text(f"# test\nsnapshot 2026-01-02\nmmmbase 1.0 {base}\nmmmtop 2.0 {top}\n")
    return f"--lock={path}"


def test_installs_exact_versions_once(cran: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    url, hashes = cran
    library = tmp_path / "library"
    arguments = lock(tmp_path / "lock", hashes["mmmbase"], "-"), f"--cran={url}"
    first = install(library, *arguments)
    assert first.returncode == 0, first.stderr
    assert f"mmmtop 2.0 is installed in {library}" in first.stdout
    state = json.loads((library / "robyn.json").read_text())
    assert state["robyn"] == "2.0"
    assert state["snapshot"] == "2026-01-02"
    assert {n: p["sha256"] for n, p in state["packages"].items()} == hashes
    assert [p["version"] for p in state["packages"].values()] == ["1.0", "2.0"]
    written = (library / "mmmtop" / "DESCRIPTION").stat().st_mtime_ns
    again = install(library, *arguments)
    assert (again.returncode, again.stdout.count("\n")) == (0, 1)
    assert (library / "mmmtop" / "DESCRIPTION").stat().st_mtime_ns == written


def test_wrong_hash_stops(cran: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    url, _ = cran
    done = install(tmp_path / "library", lock(tmp_path / "lock", "0" * 64, "-"), f"--cran={url}")
    assert done.returncode == 1
    assert f"the lock says {'0' * 64}" in done.stderr
    assert not (tmp_path / "library" / "mmmbase").exists()


def test_missing_version_stops(cran: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    url, _ = cran
    (tmp_path / "lock").write_text("snapshot 2026-01-02\nmmmbase 9.9 -\n")
    done = install(tmp_path / "library", f"--lock={tmp_path / 'lock'}", f"--cran={url}")
    assert done.returncode == 1
    assert "no mirror has mmmbase_9.9.tar.gz" in done.stderr


def test_asking_installs_nothing(cran: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    url, _ = cran
    library = tmp_path / "library"
    done = install(library, lock(tmp_path / "lock", "-", "-"), f"--cran={url}", "--ask")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("mmmtop 2.0 can be installed from http://127.0.0.1:")
    assert list(library.iterdir()) == []


def test_without_cran_says_so(tmp_path: Path) -> None:
    library = tmp_path / "library"
    done = install(library, "--cran=http://127.0.0.1:9/{snapshot}")
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith(
        "Robyn is not installed: no CRAN mirror answers: http://127.0.0.1:9/"
    )
    state = json.loads((library / "robyn.json").read_text())
    assert state["robyn"] is None
    assert "no CRAN mirror answers" in state["reason"]
    assert install(library, "--cran=http://127.0.0.1:9", "--ask").returncode == 3


def test_unknown_argument_stops(tmp_path: Path) -> None:
    done = install(tmp_path / "library", "--lok=x")
    assert done.returncode == 1
    assert "the argument `--lok=x` is unknown; allowed: --library, --lock" in done.stderr


def test_broken_lock_stops(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("snapshot 2026-01-02\nmmmbase 1.0\n")
    done = install(tmp_path / "library", f"--lock={tmp_path / 'lock'}")
    assert done.returncode == 1
    assert "'mmmbase 1.0'" in done.stderr


def test_lock_names_the_working_set() -> None:
    versions = dict(re.findall(r"^([A-Za-z][\w.]+) +([\d.]+) ", LOCK.read_text(), re.M))
    assert versions["Robyn"] == "3.12.1"
    assert list(versions)[-1] == "Robyn"
    assert versions["patchwork"] >= "1.3.1"
    assert versions["ggplot2"].startswith("3.5.")
