"""The job gets secrets in every supported way, and leaves them nowhere, whatever happens."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from contract.run import State, Status
from contract.stores.folder import FolderStore
from tests.e2e.test_pipeline import config, weekly_table
from tests.fakes.snowflake import FakeSnowflake
from tests.faults.leaks import Needles, Watch, forms

ROOT = Path(__file__).resolve().parents[2]
PASSWORD, TOKEN, PASSPHRASE = "pw-cAnary/73+x1?", "tok-cAnary/88+y2?", "phr-cAnary/99+z3?"
DUMP = """
print(Sys.getenv()); print(commandArgs(FALSE)); cat(readLines("/proc/self/environ", skipNul = TRUE))
print(ls(globalenv())); traceback(); stop(paste("R fails and prints all:", toString(Sys.getenv())))
"""
needs_r = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")


@dataclass
class Secrets:
    """An encrypted and a plain private key, the public key, and the secrets to search for."""

    encrypted: Path
    plain: str
    public: str
    needles: Needles


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Secrets:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    plain = key.private_bytes(pem, pkcs8, serialization.NoEncryption())
    der = key.private_bytes(serialization.Encoding.DER, pkcs8, serialization.NoEncryption())
    locked = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    file = tmp_path_factory.mktemp("secrets") / "key.p8"
    file.write_bytes(key.private_bytes(pem, pkcs8, locked))
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    lines = [line for line in plain.splitlines() if not line.startswith(b"-")]
    locked_lines = [li for li in file.read_bytes().splitlines() if not li.startswith(b"-")]
    needles = {
        "password": PASSWORD.encode(), "token": TOKEN.encode(), "passphrase": PASSPHRASE.encode(),
        "line of the key": lines[5], "bytes of the key": der[200:240],
        "line of the file": locked_lines[5],
    }  # fmt: skip
    return Secrets(file, plain.decode(), public.decode(), Needles(needles))


@pytest.fixture
def warehouse(snowflake_server: FakeSnowflake, secrets: Secrets) -> Iterator[FakeSnowflake]:
    snowflake_server.execute("DROP TABLE IF EXISTS ANALYTICS.MMM.WEEKLY", *weekly_table())
    user = {"public_key": secrets.public, "password": PASSWORD, "token": TOKEN}
    snowflake_server.set(users={"TRAINER": user})
    yield snowflake_server
    snowflake_server.set(faults=[])
    snowflake_server.execute("DROP TABLE ANALYTICS.MMM.WEEKLY")


@dataclass
class Done:
    """The end of a run and its output."""

    code: int
    status: Status
    output: str
    watch: Watch
    folder: Path


def slow_programs(folder: Path) -> str:
    """Make the programs that libraries start last long enough to be seen; return a PATH."""
    folder.mkdir()
    for name in ("uname", "lsb_release"):
        (folder / name).write_text("#!/bin/sh\nsleep 0.5\necho Linux\n")
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def job(folder: Path, server: FakeSnowflake, secrets: Secrets, **variables: str) -> Done:
    """Run the job in a separate process, and search everything that it leaves."""
    source = {"type": "snowflake", "table": "ANALYTICS.MMM.WEEKLY"}
    document = config(source=source)
    document["training"] |= {"engine": "builtin", "cores": 1, "trials": 1}
    document["outputs"] = {"onepagers": 1, "include_data": True}
    for name in ("tmp", "in"):
        (folder / name).mkdir()
    (folder / "in" / "de.yaml").write_text(yaml.safe_dump(document))
    env = {k: v for k, v in server.env.items() if k != "SNOWFLAKE_PASSWORD"} | variables
    process = subprocess.Popen(
        [sys.executable, "-m", "job", "--config", str(folder / "in" / "de.yaml")],
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith(("MMM_", "SNOWFLAKE_"))},
            "MMM_BUCKET": str(folder / "bucket"), "MMM_EVENTS_TOPIC": str(folder / "events.jsonl"),
            "CLOUD_RUN_EXECUTION": "canary", "TMPDIR": str(folder / "tmp"),
            "PATH": slow_programs(folder / "programs"), **env,
        },
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    watch = Watch(process.pid, folder / "tmp", secrets.needles)
    watch.start()
    output, _ = process.communicate(timeout=400)
    watch.end()
    store = FolderStore(folder / "bucket")
    [path] = [info.path for info in store.list("runs/") if info.path.endswith("status.json")]
    status = Status.from_json(store.read(path).data)
    (folder / "output.log").write_text(output)
    done = Done(process.returncode, status, output, watch, folder)
    assert secrets.needles.in_folder(folder) == {}
    assert watch.found == {}
    return done


@needs_r
def test_a_run_that_succeeds_leaves_no_secret(
    warehouse: FakeSnowflake, secrets: Secrets, tmp_path: Path
) -> None:
    done = job(
        tmp_path, warehouse, secrets,
        SNOWFLAKE_PRIVATE_KEY_FILE=str(secrets.encrypted), SNOWFLAKE_PRIVATE_KEY=secrets.plain,
        SNOWFLAKE_PRIVATE_KEY_PASSPHRASE=PASSPHRASE, SNOWFLAKE_PASSWORD=PASSWORD,
        SNOWFLAKE_OAUTH_TOKEN=TOKEN,
    )  # fmt: skip
    assert (done.code, done.status.state) == (0, State.SUCCEEDED), done.output[-3000:]
    names = {file.name for file in (tmp_path / "bucket").rglob("*")}
    assert {"report.html", "InputCollect.RDS", "data.parquet", "robyn_console.log"} <= names
    # R was watched while it ran, with its environment, and so was a library's program.
    assert {"R", "lsb_release"} <= done.watch.programs
    assert warehouse.seen()["logins"][-1]["authenticator"] == "SNOWFLAKE_JWT"


@needs_r
@pytest.mark.parametrize("way", ["private key", "token", "password"])
def test_r_that_fails_and_prints_its_environment_reveals_no_secret(
    way: str, warehouse: FakeSnowflake, secrets: Secrets, tmp_path: Path
) -> None:
    code = tmp_path / "r"
    code.mkdir()
    (code / "run_all.R").write_text(DUMP)
    variables = {
        "private key": {"SNOWFLAKE_PRIVATE_KEY": secrets.plain.replace("\n", "\\n")},
        "token": {"SNOWFLAKE_OAUTH_TOKEN": TOKEN},
        "password": {"SNOWFLAKE_PASSWORD": PASSWORD},
    }[way]
    done = job(tmp_path, warehouse, secrets, MMM_R_ROOT=str(code), **variables)
    assert done.code == 70, done.output[-3000:]
    assert "R fails and prints all" in done.output
    assert "SNOWFLAKE" not in done.output.replace("Snowflake", "")


@pytest.mark.parametrize(
    ("change", "fault", "code"),
    [
        ({"SNOWFLAKE_PASSWORD": f"{PASSWORD}{TOKEN}"}, None, 69),
        ({"SNOWFLAKE_OAUTH_TOKEN": f"{TOKEN}{PASSWORD}"}, None, 69),
        ({"SNOWFLAKE_PRIVATE_KEY": "KEY", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": PASSPHRASE}, None, 69),
        ({"SNOWFLAKE_PRIVATE_KEY": "BROKEN"}, None, 69),
        ({"SNOWFLAKE_PASSWORD": PASSWORD}, {"on": "login", "times": -1, "status": 500}, 75),
        ({"SNOWFLAKE_PASSWORD": PASSWORD},
         {"on": "query", "times": -1, "code": 2003, "message": "no"}, 69),
    ],
    ids=["wrong password", "wrong token", "wrong passphrase", "broken key", "500s", "refused"],
)  # fmt: skip
def test_a_run_that_fails_reveals_no_secret(
    change: dict[str, str],
    fault: dict[str, Any] | None,
    code: int,
    warehouse: FakeSnowflake,
    secrets: Secrets,
    tmp_path: Path,
) -> None:
    broken = {"KEY": secrets.plain, "BROKEN": secrets.plain.replace("A", "B", 3)[:-200]}
    variables = {name: broken.get(value, value) for name, value in change.items()}
    if fault:
        warehouse.set(faults=[fault])
        variables["SNOWFLAKE_LOGIN_TIMEOUT"] = "2"
    done = job(tmp_path, warehouse, secrets, **variables)
    assert done.code == code, done.output[-3000:]
    assert done.status.state is State.FAILED
    assert done.status.error is not None


def test_the_search_finds_hidden_secrets(tmp_path: Path) -> None:
    needles = Needles({"password": PASSWORD.encode()})
    for number, form in enumerate(forms(PASSWORD.encode())):
        (tmp_path / f"{number}.txt").write_bytes(b"before " + form + b" after")
    (tmp_path / "model.RDS").write_bytes(gzip.compress(b"x" + PASSWORD.encode()))
    pq.write_table(pa.table({"a": ["x", PASSWORD]}), tmp_path / "t.parquet", compression="zstd")
    assert len(needles.in_folder(tmp_path)) == len(list(tmp_path.iterdir()))
    assert needles.in_bytes(b"nothing here") == set()
