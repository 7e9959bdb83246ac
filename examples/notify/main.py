"""A Cloud Function that tells people how runs ended: in Slack, by e-mail, or both.

It takes the events of the topic `mmm-events`. Its environment:

    SLACK_WEBHOOK_URL  an incoming webhook of Slack; no Slack without it
    SMTP_HOST          HOST or HOST:PORT of a mail server; no e-mail without it
    SMTP_USER, SMTP_PASSWORD  if the server asks for them; then the connection is encrypted
    MAIL_FROM, MAIL_TO the addresses; several recipients with commas
    NOTIFY_STATES      the states to report, e.g. HELD,FAILED; by default all that need a person

If a message cannot be sent, the function fails and Pub/Sub delivers the event again. So an event
may be sent twice, but none is lost.
"""

from __future__ import annotations

import base64
import json
import os
import smtplib
import urllib.request
from email.message import EmailMessage
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

NEED_A_PERSON = "HELD,FAILED,REJECTED"
SECONDS = 10.0


@functions_framework.cloud_event
def on_event(delivery: CloudEvent) -> None:
    """Tell one event of a run."""
    event = json.loads(base64.b64decode(delivery.data["message"]["data"]))
    states = os.environ.get("NOTIFY_STATES", NEED_A_PERSON)
    if event["data"]["state"] not in states.replace(" ", "").split(","):
        return
    subject, lines = describe(event["data"])
    if url := os.environ.get("SLACK_WEBHOOK_URL"):
        to_slack(url, subject, lines)
    if host := os.environ.get("SMTP_HOST"):
        by_mail(host, subject, lines)


def describe(data: dict[str, Any]) -> tuple[str, list[str]]:
    """Return a subject and a few lines; fields that an event does not have are left out."""
    verdict = data.get("verdict") or {}
    words = (data.get("market"), data["state"], verdict.get("verdict"))
    lines = [(data.get("error") or {}).get("message") or ""]
    lines += (data.get("drift") or {}).get("reasons", [])
    lines += [finding["sentence"] for finding in verdict.get("findings", [])[:3]]
    lines += [data.get("report_uri") or "", f"run {data['run_id']}"]
    return one_line(" ".join(word for word in words if word)), [one_line(x) for x in lines if x]


def one_line(text: str) -> str:
    """Return a text without line breaks, so that it cannot begin a header or a paragraph."""
    return " ".join(text.split())


def to_slack(url: str, subject: str, lines: list[str]) -> None:
    """Post to an incoming webhook; `&`, `<` and `>` are escaped, because Slack reads commands."""
    text = "\n".join([f"*{subject}*", *lines])
    for sign, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, escaped)
    request = urllib.request.Request(  # noqa: S310  the address comes from the deployment
        url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=SECONDS).close()  # noqa: S310


def by_mail(address: str, subject: str, lines: list[str]) -> None:
    """Send a plain text mail."""
    message = EmailMessage()
    message["Subject"], message["From"] = f"MMM: {subject}", os.environ["MAIL_FROM"]
    message["To"] = os.environ["MAIL_TO"]
    message.set_content("\n".join(lines))
    host, _, port = address.partition(":")
    with smtplib.SMTP(host, int(port or 587), timeout=SECONDS) as server:
        if user := os.environ.get("SMTP_USER"):
            server.starttls()
            server.login(user, os.environ["SMTP_PASSWORD"])
        server.send_message(message)
