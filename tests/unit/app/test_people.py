"""Who is signed in, by headers with real signatures, and what each role may do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.auth import crypt, jwt

from app import actions, sign_in
from app.deployment import here
from app.groups import is_member
from app.people import NotAllowedError, Person, Role, role_of
from app.settings import Settings
from contract.exceptions import ConfigError, ServiceError, TransientError
from contract.loading import load_config
from contract.run import State, read_status
from contract.stores import Store
from contract.stores.folder import FolderStore
from mmm.plan import plan_of
from tests.runs import WEEKLY
from tests.statuses import put
from tests.unit.app.conftest import Open, says

AUDIENCE = "/projects/1/locations/europe-west1/services/mmm-console"
Sign = Callable[..., str]


@pytest.fixture
def sign(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sign]:
    """Signs headers as the proxy does; its key is where the console looks for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"one": public.decode()}).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Keys)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(sign_in, "KEYS", f"http://127.0.0.1:{server.server_port}/")
    signer = crypt.EsSigner.from_string(private, key_id="one")

    def signed(**changes: Any) -> str:
        at = int(time.time())
        claims = {
            "iss": sign_in.ISSUER, "aud": AUDIENCE, "email": "eve@example.com",
            "iat": at, "exp": at + 300, **changes,
        }  # fmt: skip
        return jwt.encode(signer, claims, key_id="one").decode()

    yield signed
    server.shutdown()
    server.server_close()
    thread.join()


def settings(**given: str) -> Settings:
    return Settings.read(audience=AUDIENCE, **given)


def signed_in(header: str | None, **given: str) -> Person:
    return sign_in.sign_in(
        settings(**given), header, verify=sign_in.verify_header, in_group=lambda *_: False
    )


def test_a_signed_header_names_a_person(sign: Sign) -> None:
    assert signed_in(sign()) == Person(name="eve@example.com", role=Role.VIEWER)
    assert signed_in(sign(), approvers="Eve@example.com").role is Role.APPROVER


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "/projects/2/locations/europe-west1/services/other"},
        {"iss": "https://accounts.google.com"},
        {"exp": int(time.time()) - 600, "iat": int(time.time()) - 900},
        {"email": None},
    ],
)
def test_a_header_for_others_is_refused(sign: Sign, changes: dict[str, Any]) -> None:
    with pytest.raises(NotAllowedError, match="you are not signed in"):
        signed_in(sign(**changes))


@pytest.mark.parametrize("header", [None, "", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_a_header_that_nobody_signed_is_refused(sign: Sign, header: str | None) -> None:
    with pytest.raises(NotAllowedError, match="you are not signed in"):
        signed_in(header)


def test_a_header_that_was_changed_is_refused(sign: Sign) -> None:
    head, _, signature = sign().split(".")
    _, body, _ = sign(email="root@example.com").split(".")
    with pytest.raises(NotAllowedError):
        signed_in(f"{head}.{body}.{signature}")


def test_keys_that_cannot_be_read_are_no_refusal(
    sign: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "KEYS", "http://127.0.0.1:9/")
    with pytest.raises(TransientError, match="try again"):
        signed_in(sign())


@pytest.mark.parametrize(
    ("lists", "role"),
    [
        ({}, Role.VIEWER),
        ({"viewers": "bob@example.com"}, None),
        ({"viewers": "@example.com"}, Role.VIEWER),
        ({"viewers": "@ample.com, x"}, None),
        ({"editors": "bob@example.com, eve@example.com"}, Role.EDITOR),
        ({"editors": "group:modellers@example.com"}, Role.EDITOR),
        ({"approvers": "group:others@example.com"}, Role.VIEWER),
    ],
)
def test_roles(lists: dict[str, str], role: Role | None) -> None:
    members = {("modellers@example.com", "eve@example.com")}
    found = role_of("eve@example.com", settings(**lists), lambda *one: one in members)
    assert found is role


def test_on_cloud_run_somebody_must_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K_SERVICE", "mmm-console")
    with pytest.raises(ConfigError, match="MMM_APP_AUDIENCE"):
        sign_in.sign_in(
            Settings.read(), None, verify=sign_in.verify_header, in_group=lambda *_: False
        )


def test_a_page_without_a_header_shows_nothing(
    console: Open, markets: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMM_APP_AUDIENCE", AUDIENCE)
    at = console()
    assert "You are not signed in" in at.error[0].value
    assert not at.dataframe
    assert not at.button


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_each_action_refuses_a_role_that_is_too_low(store: FolderStore, role: Role) -> None:
    run_id = put(store, 1, "DE", State.HELD)
    person, at = Person(name="eve@example.com", role=role), here()
    acts: list[Callable[[], object]] = [
        lambda: actions.promote_run(at, person, run_id, reason="x"),
        lambda: actions.hold_run(at, person, run_id, reason="x"),
    ]
    if role is Role.VIEWER:
        acts += [
            lambda: actions.save_config(at, person, "de", "", seen=0),
            lambda: actions.start_run(at, person, "de", key="k"),
            lambda: actions.upload_table(at, person, "x.csv", b"a"),
            lambda: actions.read_table(at, person, {"type": "snowflake", "query": "SELECT 1"}),
            lambda: actions.list_names(at, person, "snowflake", ["A", "B"]),
            lambda: actions.check_config(at, person, load_config(WEEKLY)),
            lambda: actions.begin_draft(at, person, {}, market="DE", revision="r1"),
            lambda: actions.pause_market(at, person, "DE", reason="x"),
            lambda: actions.resume_market(at, person, "DE"),
            lambda: actions.cancel_run(at, person, run_id),
        ]
    before = sorted(store.root.rglob("*"))
    for act in acts:
        with pytest.raises(NotAllowedError, match=f"signed in as {role.title}"):
            act()
    assert sorted(store.root.rglob("*")) == before
    status = read_status(store, run_id)
    assert status is not None
    assert status.state is State.HELD


@pytest.mark.parametrize(
    "source",
    [
        {"type": "file", "path": "/secrets/key.csv"},
        {"type": "duckdb", "path": "/tmp/w.duckdb", "table": "t"},
    ],
)
def test_in_the_cloud_no_file_of_the_console_is_read(
    gcs_store: Store, monkeypatch: pytest.MonkeyPatch, source: dict[str, str]
) -> None:
    monkeypatch.setenv("MMM_BUCKET", gcs_store.url)
    editor = Person(name="eve@example.com", role=Role.EDITOR)
    with pytest.raises(ConfigError, match="allowed in this deployment: gs://"):
        actions.read_table(here(), editor, source)
    resolved = load_config(WEEKLY, overrides={"source": source} | {"context": []})
    with pytest.raises(ConfigError, match="allowed in this deployment: gs://"):
        actions.check_config(here(), editor, resolved)
    events = load_config(
        WEEKLY,
        overrides={"source": {"path": "gs://b/x.csv"}, "annotations": "/secrets/events.csv"},
    )
    with pytest.raises(ConfigError):
        plan_of(events, gcs_store, local_files=False)
    with pytest.raises(ConfigError, match="only where the bucket is a folder"):
        actions.list_names(here(), editor, "duckdb", ["/tmp/w.duckdb"])


class Groups:
    """The Cloud Identity API as far as the console asks it."""

    def __init__(self, answers: dict[str, int]) -> None:
        self.answers = answers

    def get(self, url: str, *, params: dict[str, str], timeout: float) -> Any:
        [value] = params.values()
        code = self.answers.get(value, 404)
        return SimpleNamespace(status_code=code, json=lambda: {"name": "groups/1"})


def test_members_of_groups() -> None:
    group, eve = "modellers@example.com", "eve@example.com"
    assert is_member(group, eve, session=Groups({group: 200, eve: 200}))
    assert not is_member(group, eve, session=Groups({group: 200}))
    with pytest.raises(ServiceError, match="no group"):
        is_member(group, eve, session=Groups({}))
    with pytest.raises(TransientError, match="try again"):
        is_member(group, eve, session=Groups({group: 500}))


def test_a_refusal_is_shown(
    console: Open, markets: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = Person(name="eve@example.com", role=Role.VIEWER)
    monkeypatch.setattr(sign_in, "sign_in", lambda *_, **__: viewer)
    at = console()
    next(b for b in at.button if b.label == "Start a run").click().run()
    assert "You may not start a run" in says(at)
