"""Inputs for the fuzzer: whole documents with faults in them, not noise.

Hypothesis draws a valid document, changes a few of its places, writes it as JSON or YAML, and
changes a few of its bytes.
"""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import yaml
from hypothesis import strategies as st

CONFIG: dict[str, Any] = {
    "version": 1,
    "market": "DE",
    "revision": "r1",
    "source": {"type": "file", "path": "data.csv", "country_column": "C", "country": "DE"},
    "date": {"column": "DATE", "start": "2022-01-03", "end": "2024-12-30", "frequency": "week",
             "week_start": "monday", "format": "%d.%m.%Y", "timezone": "Europe/Berlin"},
    "target": {"column": "REVENUE", "kind": "revenue"},
    "channels": [{"name": "tv", "spend": "TV_COST", "exposure": "TV_GRP", "sign": "positive"},
                 {"name": "search", "spend": "SEARCH_COST"}],
    "organic": ["NEWSLETTER"],
    "context": ["COMPETITOR_SALES"],
    "factors": ["EVENTS"],
    "signs": {"NEWSLETTER": "default"},
    "aggregation": {"EVENTS": "first"},
    "calibration": [{"channel": "tv+search", "start": "2023-01-02", "end": "2023-02-06",
                     "lift": 3000.0, "spend": 1000, "confidence": 0.9}],
    "posterior": {"enabled": True, "sweeps": 600},
    "training": {"preset": "test", "seed": 123, "hyperparameters": {"TV_GRP_alphas": [0.5, 3]},
                 "train_size": [0.5, 0.8], "prophet": ["trend"], "objective_weights": [1, 1, 1]},
    "outputs": {"allocator": [{"scenario": "target_efficiency", "target_value": 2}],
                "validation": {"folds": 2}},
    "gate": {"min_rows": 40},
    "limits": {"timeout_minutes": 120},
}  # fmt: skip
SOURCES: list[dict[str, Any]] = [
    {"type": "duckdb", "path": "w.duckdb", "query": "select * from mmm.daily where a > 1"},
    {"type": "snowflake", "table": "DB.SCHEMA.TABLE"},
    {"type": "bigquery", "table": "p.d.t", "location": "EU"},
]
MESSAGES: list[dict[str, Any]] = [
    {"config": CONFIG, "overrides": {"training": {"trials": 2}}, "idempotency_key": "k"},
    {"config_uri": "gs://bucket/configs/de.yaml", "markets": ["DE", "FR"], "force": True},
    {"config": CONFIG, "run_id": "20261123T020000Z-1a2b3c4d", "mode": "train"},
]
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # writing takes most of the time
RUN_ID = "20261123T020000Z-1a2b3c4d"
AT = "2026-11-23T02:00:00+00:00"
ODD_TEXT = [
    "", " ", "\x00", "\x1b[31m", "\ud800", "\u202e", "=1+1", "@x", "-", "../../etc/passwd", "[red]x[/]",
    "a\nb", "</script>", "`rm`", "'; drop table x --", '"', "$(id)", "%s%n", "{{7*7}}", "a" * 70_000,
    "NaN", "null", "~", "1e999", "0x10", "1:30:00", "2020-13-45", "!!python/object:os.system",
    "gs://", "gs:///x", "file:///etc/passwd", "http://127.0.0.1/x", "9" * 5000, "é" * 200, "١٢٣",
]  # fmt: skip
ODD_VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**300, 10**4000, 0.1, -0.0, 1e308,
    float("nan"), float("inf"), [], {}, [[]], {"": ""}, [None], {"a": {"b": {}}},
    dict.fromkeys(map(str, range(3000)), 1), list(range(3000)),
]  # fmt: skip
ODD_BYTES = [
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"{" * 3000, b"[" * 30_000, b"]", b"}",
    b"&a ", b"*a", b"<<: ", b"!!binary ", b"!!timestamp 2020-99-99", b"!!set ", b"!!omap ",
    b"!!float .", b"!!int ''", b"!!bool x", b"!!python/name:os.system ", b"? ", b"- ", b"\t",
    b"---\n", b"...\n", b"%YAML 9.9\n", b"|2\n", b">-\n", b"'", b'"', b"\\", b"\\ud800", b"#",
    b"9" * 5000, b"NaN", b"-Infinity", b",", b":", b"\r", b"\xc2\x85", b"\xe2\x80\xa8",
]  # fmt: skip

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
anything = st.sampled_from(ODD_TEXT) | st.sampled_from(ODD_VALUES) | _json


@st.composite
def changed(draw: st.DrawFn, base: Any) -> Any:
    """Draw a copy of a document with up to four places changed, added or removed."""
    document = copy.deepcopy(base)
    for _ in range(draw(st.integers(0, 4))):
        place: Any = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            child = place[key]
            if isinstance(child, dict | list) and child and draw(st.booleans()):
                place = child
                continue
            what = draw(st.integers(0, 4))
            if what == 0:
                del place[key]
            elif what == 1 and isinstance(place, dict):
                place[draw(st.sampled_from(ODD_TEXT) | st.text(max_size=8))] = child
            else:
                place[key] = copy.deepcopy(draw(anything))
            break
    return document


@st.composite
def written(draw: st.DrawFn, document: Any, *, yaml_too: bool = True) -> bytes:
    """Draw a document as text, sometimes with broken bytes."""
    style = draw(st.sampled_from(["json", "json", "block", "flow"] if yaml_too else ["json"]))
    if style == "json":
        raw = json.dumps(document, default=str).encode()
    else:
        flow = style == "flow"
        try:
            text = yaml.dump(document, Dumper=DUMPER, default_flow_style=flow, allow_unicode=True)
        except (yaml.YAMLError, RecursionError, UnicodeError):
            text = json.dumps(document, default=str)
        raw = text.encode("utf-8", "surrogatepass")
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2, 5]))):
        at = draw(st.integers(0, len(raw)))
        what = draw(st.integers(0, 3))
        if what == 0:
            raw = raw[:at]
        elif what == 1:
            raw = raw[:at] + raw[at + draw(st.integers(1, 40)) :]
        elif what == 2:
            raw = raw[:at] + raw[at : at + 200] * draw(st.sampled_from([2, 3, 1000])) + raw[at:]
        else:
            raw = raw[:at] + draw(st.sampled_from(ODD_BYTES)) + raw[at:]
    return raw


@st.composite
def config_texts(draw: st.DrawFn) -> bytes:
    """Draw a config, as a person or a program might write it."""
    base = dict(CONFIG)
    if source := draw(st.sampled_from([None, *SOURCES])):
        base["source"] = source
    return draw(written(draw(changed(base))))


@st.composite
def message_data(draw: st.DrawFn) -> bytes:
    """Draw the data of a Pub/Sub message."""
    return draw(written(draw(changed(draw(st.sampled_from(MESSAGES))))))


@st.composite
def envelopes(draw: st.DrawFn) -> tuple[dict[str, str], bytes]:
    """Draw headers and body of a delivery: a CloudEvent, binary or structured, or a raw push."""
    data = base64.b64encode(draw(message_data())).decode()
    message = {
        "data": draw(st.sampled_from([data, data, data[:-1], f"{data}!", ""])),
        "messageId": "7",
        "publishTime": draw(st.sampled_from([AT, AT, "soon", "0001-01-01T00:00:00Z", ""])),
        "attributes": draw(st.sampled_from([{}, {"idempotency_key": "k"}, {"a": "é" * 600}])),
    }
    body: Any = {"message": message, "subscription": "projects/p/subscriptions/s"}
    headers = {
        "ce-id": "7", "ce-source": "//pubsub.googleapis.com/projects/p/topics/t",
        "ce-specversion": "1.0", "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-time": AT, "Content-Type": "application/json",
    }  # fmt: skip
    form = draw(st.sampled_from(["binary", "binary", "structured", "push"]))
    if form == "structured":
        fields = {name.removeprefix("ce-"): value for name, value in headers.items()
                  if name.startswith("ce-")}  # fmt: skip
        body = {**fields, "datacontenttype": "application/json", "data": body}
        headers = {"Content-Type": "application/cloudevents+json"}
    elif form == "push":
        headers = {"Content-Type": "application/json"}
    for name in draw(st.lists(st.sampled_from(sorted(headers)), max_size=1)):
        value = draw(st.sampled_from([None, "", "x", "é", "9" * 300]))
        headers = {n: v for n, v in headers.items() if n != name}
        if value is not None:
            headers[name] = value
    return headers, draw(written(draw(changed(body)), yaml_too=False))


STORED: dict[str, dict[str, Any]] = {
    "status": {
        "run_id": RUN_ID, "state": "FAILED", "market": "DE", "revision": "r1", "created_at": AT,
        "updated_at": AT, "heartbeat_at": AT, "execution": "e", "attempt": 0, "step": "train",
        "launch": {"nonce": "n", "until": AT}, "progress": {"by_trial": {"1": 10}},
        "steps": [{"name": "extract", "seconds": 1.0}],
        "error": {"code": 70, "step": "train", "kind": "ModelError", "message": "m"},
        "outcome": {"run_id": RUN_ID, "state": "FAILED", "market": "DE", "revision": "r1"},
    },
    "request": {
        "run_id": RUN_ID, "market": "DE", "revision": "r1", "config": CONFIG,
        "origins": {"market": "message"}, "config_hash": "0" * 64, "force": False,
        "origin": {"via": "pubsub", "message_id": "1", "topic": "t", "publish_time": AT},
        "accepted_at": AT, "nonce": "n",
    },
    "lease": {
        "owner": "o", "execution": "e", "task": 0, "attempt": 0, "nonce": "n", "seconds": 1.0,
        "released": True, "manifest": None,
    },
    "event": {
        "event": {"specversion": "1.0", "id": "i", "source": "//mmm-trainer",
                  "type": "mmm.run.failed", "subject": RUN_ID, "time": AT,
                  "datacontenttype": "application/json",
                  "data": {"run_id": RUN_ID, "state": "FAILED", "market": "DE", "warnings": ["w"]}},
        "published_at": None,
    },
    "key": {"run_id": RUN_ID},
    "current": {"run_id": RUN_ID, "artifacts": "robyn/r1/DE/x/", "manifest": "m"},
    "closed": {"runs": [RUN_ID]},
    "rejected": {"run_id": RUN_ID, "rejected_at": AT, "attributes": {}, "size": 2,
                 "error": {"code": 64, "step": None, "kind": "ConfigError", "message": "m"},
                 "body_base64": "e30="},
}  # fmt: skip


@st.composite
def buckets(draw: st.DrawFn) -> dict[str, bytes]:
    """Draw the objects of one run, with one or two of them damaged."""
    damaged = draw(st.lists(st.sampled_from(sorted(STORED)), min_size=1, max_size=2, unique=True))
    return {
        name: draw(written(draw(changed(document)), yaml_too=False))
        if name in damaged
        else json.dumps(document).encode()
        for name, document in STORED.items()
        if name in damaged or draw(st.booleans())
    }


queries = st.one_of(
    st.sampled_from(
        [
            "select * from a where b > 1",
            "with x as (select 1 as a) select a, count(*) from x group by a",
            "select * from read_csv('/etc/passwd')",
        ]
    ).flatmap(lambda text: written(text, yaml_too=False)),
    st.text(min_size=8, max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(["(", "select ", "a.", "case ", "'", "/*", "--", "[", "not "]).flatmap(
        lambda part: st.integers(1, 400).map(lambda n: part.encode() * n)
    ),
)
assignments = st.lists(
    st.builds(
        lambda path, value: f"{path}={value}",
        st.sampled_from(["training", "training.trials", "a.b.c", "", ".", "market", "x" * 300])
        | st.text(max_size=6),
        st.sampled_from([*ODD_TEXT, "[1, 2]", "{a: b}", "*a", "&a [*a]", "[" * 2000])
        | st.text(max_size=8),
    ),
    max_size=4,
)
