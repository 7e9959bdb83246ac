"""Snowflake: fakesnow's server in a separate process, extended by `snowflake_server`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from snowflake import connector

from job.sources.snowflake import login
from tests.fakes.ports import free_port, stop, wait_for_port

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class FakeSnowflake:
    """A running server; with `env`, the job signs in by password."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def env(self) -> dict[str, str]:
        return {
            "SNOWFLAKE_ACCOUNT": "fake",
            "SNOWFLAKE_USER": "TRAINER",
            "SNOWFLAKE_PASSWORD": "password",
            "SNOWFLAKE_HOST": "127.0.0.1",
            "SNOWFLAKE_PORT": str(self.port),
            "SNOWFLAKE_PROTOCOL": "http",
            "SNOWFLAKE_DATABASE": "ANALYTICS",
            "SNOWFLAKE_SCHEMA": "MMM",
            "SNOWFLAKE_WAREHOUSE": "TINY",
            "SNOWFLAKE_ROLE": "READER",
        }

    def with_key_pair(self, folder: Path, *, passphrase: str | None = None) -> dict[str, str]:
        """Let TRAINER sign in only with a new key; return the job's environment."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        secret = (
            serialization.BestAvailableEncryption(passphrase.encode())
            if passphrase
            else serialization.NoEncryption()
        )
        file = folder / "key.p8"
        file.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)
        )
        self.set(users={"TRAINER": {"public_key": public.decode()}})
        env = {k: v for k, v in self.env.items() if k != "SNOWFLAKE_PASSWORD"}
        env["SNOWFLAKE_PRIVATE_KEY_FILE"] = str(file)
        if passphrase:
            env["SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"] = passphrase
        return env

    def set(self, **settings: Any) -> None:
        """Change users, chunk_rows, faults, big, slow; `forget=True` clears the recorded requests."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/fake",
            data=json.dumps(settings).encode(),
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()

    def reset(self) -> None:
        """Remove users, faults and recorded requests."""
        self.set(users={}, chunk_rows=50_000, faults=[], big=None, slow=0.0, forget=True)

    @cached_property
    def _admin(self) -> Any:
        return connector.connect(**login(self.env, run_id="admin"))

    def seen(self) -> dict[str, Any]:
        """Return the recorded logins with session parameters, queries, and number of chunks."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/fake", timeout=10) as answer:
            recorded: dict[str, Any] = json.load(answer)
            return recorded

    def execute(self, *statements: str) -> None:
        """Run statements with the real connector, as an administrator would."""
        with closing(self._admin.cursor()) as cursor:
            for statement in statements:
                cursor.execute(statement)

    def close(self) -> None:
        if "_admin" in self.__dict__:
            self._admin.close(retry=False)
        stop(self.process)


def start(port: int | None = None) -> FakeSnowflake:
    """Start a server; the caller closes it."""
    port = port or free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.snowflake_server", "--port", str(port)],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process, timeout=120)
    except BaseException:
        stop(process)
        raise
    return FakeSnowflake(port=port, process=process)


@contextmanager
def running() -> Iterator[FakeSnowflake]:
    server = start()
    try:
        yield server
    finally:
        server.close()
