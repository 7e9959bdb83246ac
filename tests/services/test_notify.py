"""The example subscriber, served as the platform serves it, with a webhook and a mail server."""

from __future__ import annotations

import base64
import json
import socketserver
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.fakes import function
from tests.fakes.ports import stop

ROOT = Path(__file__).resolve().parents[2]


class Webhook(ThreadingHTTPServer):
    """An incoming webhook of Slack: it takes what it gets, or answers with an error."""

    status = 200

    def __init__(self) -> None:
        self.texts: list[str] = []
        super().__init__(("127.0.0.1", 0), _Hook)


class _Hook(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.texts.append(json.loads(body)["text"])
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


class MailServer(socketserver.ThreadingTCPServer):
    """As much of SMTP as a client needs to deliver a mail."""

    daemon_threads = True

    def __init__(self) -> None:
        self.mails: list[str] = []
        super().__init__(("127.0.0.1", 0), _Mail)


class _Mail(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode():
            word = line.split()[0].upper()
            if word == "DATA":
                self._say("354 go on")
                lines = []
                while (text := self.rfile.readline().decode()) != ".\r\n":
                    lines.append(text)
                self.server.mails.append("".join(lines))
            self._say("221 bye" if word == "QUIT" else "250 ok")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def running(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def deliver(url: str, event: dict[str, Any]) -> int:
    """Deliver an event as Eventarc does; return the status of the answer."""
    data = base64.b64encode(json.dumps(event).encode()).decode()
    body = {"message": {"data": data, "messageId": "1"}, "subscription": "s"}
    headers = {
        "Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "1",
        "ce-source": "//pubsub.googleapis.com/projects/p/topics/mmm-events",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
    }  # fmt: skip
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Webhook, MailServer]]:
    with running(Webhook()) as webhook, running(MailServer()) as mail:
        env = {
            "SLACK_WEBHOOK_URL": f"http://127.0.0.1:{webhook.server_port}/hook",
            "SMTP_HOST": f"127.0.0.1:{mail.server_address[1]}",
            "MAIL_FROM": "mmm@example.com", "MAIL_TO": "ann@example.com, bob@example.com",
        }  # fmt: skip
        log = tmp_path_factory.mktemp("notify") / "log"
        served = function.start(ROOT / "examples/notify", env, log=log, target="on_event")
        try:
            yield served.url, webhook, mail
        finally:
            stop(served.process)


def example(state: str) -> dict[str, Any]:
    return dict(json.loads((ROOT / f"examples/events/{state}.json").read_text()))


def test_a_held_run_is_told_in_both_places(servers: tuple[str, Webhook, MailServer]) -> None:
    url, webhook, mail = servers
    assert deliver(url, example("held")) == 200
    title, reason, *_ = webhook.texts[-1].splitlines()
    assert title == "*DE HELD REVIEW*"
    assert reason.startswith("the ROAS of `tv` changed by +37%")
    message = message_from_string(mail.mails[-1])
    assert message["Subject"] == "MMM: DE HELD REVIEW"
    assert "run 20261123T020000Z-1a2b3c4d" in str(message.get_payload())


def test_a_run_that_needs_nobody_is_not_told(servers: tuple[str, Webhook, MailServer]) -> None:
    url, webhook, mail = servers
    before = len(webhook.texts), len(mail.mails)
    for state in ("succeeded", "skipped", "duplicate"):
        assert deliver(url, example(state)) == 200
    assert (len(webhook.texts), len(mail.mails)) == before


def test_hostile_text_stays_text(servers: tuple[str, Webhook, MailServer]) -> None:
    url, webhook, mail = servers
    event = example("rejected")
    event["data"]["error"]["message"] = "<!channel> & more\nTo: eve@example.com"
    event["data"]["market"] = "DE\nBcc: eve@example.com"
    assert deliver(url, event) == 200
    assert "&lt;!channel&gt; &amp; more To: eve@example.com" in webhook.texts[-1]
    message = message_from_string(mail.mails[-1])
    assert message["Bcc"] is None
    assert message["To"] == "ann@example.com, bob@example.com"


def test_an_event_that_cannot_be_told_is_delivered_again(
    servers: tuple[str, Webhook, MailServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, webhook, _ = servers
    monkeypatch.setattr(webhook, "status", 503)
    assert deliver(url, example("failed")) == 500
