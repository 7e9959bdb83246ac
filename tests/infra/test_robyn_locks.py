"""Each lock of Robyn, installed in its order beside this Debian's own R packages, without CRAN.

A folder like CRAN's has a small package for each one that the lock names, with its version and the
requirements of the real one. Such a package loads only if the required versions load, which R asks of
the real packages as well.
"""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "docker" / "install-robyn.R"
LOCKS = {"12": "robyn-debian12.lock", "13": "robyn.lock"}

# `Imports` and `Depends` of the real packages, R itself and its own packages left out.
REQUIRED = {
    "rlang 1.2.0": "",
    "gtable 0.3.6": "cli, glue, lifecycle, rlang (>= 1.1.0)",
    "vctrs 0.6.5": "cli (>= 3.4.0), glue, lifecycle (>= 1.0.3), rlang (>= 1.1.0)",
    "scales 1.3.0": "cli, farver (>= 2.0.3), glue, labeling, lifecycle, munsell (>= 0.5), R6, "
    "RColorBrewer, rlang (>= 1.0.0), viridisLite",
    "ggplot2 3.5.2": "cli, glue, gtable (>= 0.1.1), isoband, lifecycle (>= 1.0.2), MASS, mgcv, "
    "rlang (>= 1.1.0), scales (>= 1.3.0), tibble, vctrs (>= 0.6.0), withr (>= 2.5.0)",
    "patchwork 1.3.1": "ggplot2 (>= 3.0.0), gtable (>= 0.3.6), rlang (>= 1.0.0), cli, farver",
    "rpart.plot 3.1.2": "rpart (>= 4.1-15)",
    "lares 5.2.11": "dplyr (>= 1.0.0), ggplot2, httr, jsonlite, lubridate, openxlsx, patchwork, "
    "pROC, rlang, rpart, rpart.plot, rvest, stringr, tidyr (>= 1.0.0), yaml",
    "lares 5.4.0": "dplyr (>= 1.0.0), ggplot2 (>= 3.4.0), httr (>= 1.4.3), jsonlite (>= 1.8.0), "
    "lubridate (>= 1.7.9), openxlsx (>= 3.5.10), patchwork (>= 1.3.0), pROC (>= 1.18.5), "
    "rlang (>= 0.6.3), rpart (>= 4.1.0), rpart.plot (>= 3.1.0), rvest (>= 1.0.0), "
    "stringr (>= 1.4.2), tidyr (>= 1.0.0), yaml (>= 2.2.4)",
    "Robyn 3.12.1": "doParallel, doRNG, dplyr, foreach, ggplot2 (>= 3.4.0), ggridges, glmnet, "
    "jsonlite, lares, lubridate, nloptr, patchwork (>= 1.3.1), prophet, reticulate, stringr, tidyr",
}

LOADS = """.onLoad <- function(...) {
  fields <- utils::packageDescription("%s")$Imports
  for (field in strsplit(if (is.null(fields)) "" else fields, ",")[[1]]) {
    words <- regmatches(field, gregexpr("[[:alnum:].-]+", field))[[1]]
    if (length(words) == 2 && utils::packageVersion(words[1]) < words[2]) stop(field, call. = FALSE)
  }
}
"""


def release() -> str:
    """Debian's number, "" elsewhere or without R."""
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        return ""
    here = shutil.which("Rscript") and system.get("ID") == "debian"
    return system.get("VERSION_ID", "") if here else ""


@pytest.fixture(scope="module")
def cran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like CRAN's; the newest of each package is not in the archive."""
    contrib = tmp_path_factory.mktemp("cran") / "src" / "contrib"
    contrib.mkdir(parents=True)
    (contrib / "PACKAGES.gz").write_bytes(b"x")
    for number, (package, imports) in enumerate(REQUIRED.items()):
        name, version = package.split()
        folder = contrib / "Archive" / name if number % 2 else contrib
        folder.mkdir(parents=True, exist_ok=True)
        source = contrib.parent / package / name
        (source / "R").mkdir(parents=True)
        (source / "R" / "load.R").write_text(LOADS % name)
        (source / "NAMESPACE").touch()
        (source / "DESCRIPTION").write_text(
            f"Package: {name}\nVersion: {version}\nTitle: T\nDescription: D.\nLicense: MIT\n"
            "Author: A\nMaintainer: A <a@example.com>\nPackaged: 2026-01-02 00:00:00 UTC; a\n"
            + (f"Imports: {imports}\n" if imports else "")
        )
        with tarfile.open(folder / f"{name}_{version}.tar.gz", "w:gz") as archive:
            archive.add(source, arcname=name)
    return contrib.parent.parent


def locked() -> list[str]:
    """The packages of this Debian's lock, each as `name version`, in its order."""
    text = (ROOT / "docker" / LOCKS[release()]).read_text()
    return [f"{n} {v}" for n, v in re.findall(r"^([A-Za-z][\w.]+) +(\d[\d.]+) +\S+$", text, re.M)]


def install(cran: Path, folder: Path, packages: list[str]) -> subprocess.CompletedProcess[str]:
    """Install packages in this order into an empty library."""
    lines = ["snapshot 2026-01-02"]
    for package in packages:
        name, version = package.split()
        [archive] = cran.rglob(f"{name}_{version}.tar.gz")
        lines.append(f"{package} {hashlib.sha256(archive.read_bytes()).hexdigest()}")
    (folder / "lock").write_text("\n".join(lines) + "\n")
    return subprocess.run(
        [
            *("Rscript", "--vanilla", SCRIPT, f"--library={folder / 'library'}"),
            *(f"--lock={folder / 'lock'}", f"--cran=file://{cran}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


on_debian = pytest.mark.skipif(
    release() not in LOCKS or not Path("/usr/lib/R/site-library/reticulate").is_dir(),
    reason="not a Debian 12 or 13 with the packages of r/debian-packages.txt",
)


@on_debian
def test_the_lock_installs_in_its_order(cran: Path, tmp_path: Path) -> None:
    done = install(cran, tmp_path, locked())
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "library").iterdir()} == {
        "robyn.json",
        *(package.split()[0] for package in locked()),
    }


@on_debian
def test_another_order_does_not(cran: Path, tmp_path: Path) -> None:
    first, *others = locked()
    done = install(cran, tmp_path, [*others, first])
    assert done.returncode == 1
    assert "did not build" in done.stderr


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docker").glob("robyn*.lock")), ids=lambda p: p.name
)
def test_the_requirements_of_every_locked_package_are_known(path: Path) -> None:
    rows = re.findall(r"^([A-Za-z][\w.]+) +(\d[\d.]+) +files:[0-9a-f]{64}$", path.read_text(), re.M)
    assert {" ".join(row) for row in rows} <= REQUIRED.keys()
    assert path.name in LOCKS.values()
