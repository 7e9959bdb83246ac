"""`docker/install-robyn.R` against a CRAN-like server on this machine, with packages of its own."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import threading
import urllib.request
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "docker" / "install-robyn.R"
LOCKS = sorted((ROOT / "docker").glob("robyn*.lock"))

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
    arguments = lock(tmp_path / "lock", hashes["mmmbase"], hashes["mmmtop"]), f"--cran={url}"
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
    url, hashes = cran
    wrong = "0" * 64
    arguments = lock(tmp_path / "lock", wrong, wrong), f"--cran={url}"
    done = install(tmp_path / "library", *arguments)
    assert done.returncode == 1
    assert f"no mirror has mmmbase_1.0.tar.gz with the hash of the lock, {wrong}" in done.stderr
    assert f"mmmbase_1.0.tar.gz has SHA-256 {hashes['mmmbase']}" in done.stderr
    assert not (tmp_path / "library" / "mmmbase").exists()


def test_the_next_mirror_is_asked_if_the_first_has_another_archive(
    cran: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    url, hashes = cran
    contrib = tmp_path / "repacked" / "src" / "contrib"
    contrib.mkdir(parents=True)
    (contrib / "PACKAGES.gz").write_bytes(b"x")
    (contrib / "mmmbase_1.0.tar.gz").write_bytes(b"packed anew")
    mirrors = f"--cran=file://{tmp_path / 'repacked'},{url}"
    library = tmp_path / "library"
    done = install(library, lock(tmp_path / "lock", hashes["mmmbase"], hashes["mmmtop"]), mirrors)
    assert done.returncode == 0, done.stderr
    assert (library / "mmmbase").is_dir()


def test_a_hash_may_be_of_the_files(cran: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    url, hashes = cran
    files = files_hash(tmp_path, url.replace("{snapshot}", "2026-01-02"))
    library = tmp_path / "library"
    arguments = lock(tmp_path / "lock", f"files:{files}", hashes["mmmtop"]), f"--cran={url}"
    done = install(library, *arguments)
    assert done.returncode == 0, done.stderr
    state = json.loads((library / "robyn.json").read_text())
    assert state["packages"]["mmmbase"]["sha256"] == hashes["mmmbase"]
    wrong = lock(tmp_path / "lock", f"files:{'0' * 64}", hashes["mmmtop"]), f"--cran={url}"
    assert install(tmp_path / "other", *wrong).returncode == 1


def files_hash(folder: Path, url: str) -> str:
    """The hash of the sorted list of an archive's files' hashes, made without R."""
    archive = folder / "base.tar.gz"
    urllib.request.urlretrieve(f"{url}/src/contrib/Archive/mmmbase/mmmbase_1.0.tar.gz", archive)
    with tarfile.open(archive) as tar:
        files = [(member, tar.extractfile(member)) for member in tar.getmembers()]
        sums = {
            member.name.partition("/")[2]: hashlib.sha256(file.read()).hexdigest()
            for member, file in files
            if file
        }
    listed = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    return hashlib.sha256(listed.encode()).hexdigest()


def test_missing_version_stops(cran: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    url, hashes = cran
    (tmp_path / "lock").write_text(f"snapshot 2026-01-02\nmmmbase 9.9 {hashes['mmmbase']}\n")
    done = install(tmp_path / "library", f"--lock={tmp_path / 'lock'}", f"--cran={url}")
    assert done.returncode == 1
    assert "no mirror has mmmbase_9.9.tar.gz" in done.stderr


def test_asking_installs_nothing(cran: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    url, hashes = cran
    library = tmp_path / "library"
    locked = lock(tmp_path / "lock", hashes["mmmbase"], hashes["mmmtop"])
    done = install(library, locked, f"--cran={url}", "--ask")
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


@pytest.mark.parametrize("line", ["mmmbase 1.0", "mmmbase 1.0 -", "mmmbase 1.0 abc"])
def test_broken_lock_stops(line: str, tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(f"snapshot 2026-01-02\n{line}\n")
    done = install(tmp_path / "library", f"--lock={tmp_path / 'lock'}")
    assert done.returncode == 1
    assert f"'{line}'" in done.stderr


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_locks_name_the_working_set(path: Path) -> None:
    rows = re.findall(
        r"^([A-Za-z][\w.]+) +([\d.]+) +(?:files:)?[0-9a-f]{64}$", path.read_text(), re.M
    )
    versions = dict(rows)
    assert versions["Robyn"] == "3.12.1"
    assert list(versions)[-1] == "Robyn"
    assert versions["patchwork"] >= "1.3.1"
    if "ggplot2" in versions:
        assert next(iter(versions)) == "rlang", "Debian 12's is too old for those that follow"
        assert versions["ggplot2"].startswith("3.5.")
