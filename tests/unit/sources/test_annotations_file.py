"""The CSV of dated events: valid files, and the message for every fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contract.config import Config
from contract.exceptions import ConfigError, DataError
from contract.loading import load_config
from contract.stores import open_store
from job.sources.annotations import Annotations
from job.sources.annotations_file import MAX_BYTES, MAX_NAMES, read_annotations
from tests.fakes.gcs import missing, running


def config_of(path: object, **over: Any) -> Config:
    document: dict[str, Any] = {
        "version": 1,
        "market": "DE",
        "revision": "r1",
        "source": {"type": "file", "path": "table.csv"},
        "date": {"column": "day", "frequency": "week"},
        "target": {"column": "sales"},
        "channels": [{"name": "tv", "spend": "TV_COST", "exposure": "TV_GRP"}],
        "context": ["price"],
        "annotations": str(path),
        **over,
    }
    return load_config(document).config


def read(tmp_path: Path, text: str, **over: Any) -> Annotations:
    path = tmp_path / "events.csv"
    path.write_text(text, encoding="utf-8")
    annotations = read_annotations(config_of(path, **over))
    assert annotations is not None
    return annotations


def spans(annotations: Annotations) -> list[tuple[str, str]]:
    return [(event.name, event.days()) for event in annotations.events]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("date,name\n2024-11-29,Sale\n", [("Sale", "2024-11-29")]),
        ("name,from,to\nStrike,2024-01-02,2024-01-09\n", [("Strike", "2024-01-02 to 2024-01-09")]),
        (
            "\ufeffName ; Date\r\nSale;2024-11-29\r\n\r\nSale;2023-11-24\r\n",
            [("Sale", "2023-11-24"), ("Sale", "2024-11-29")],
        ),
        (
            "date,from,to,name\n2024-05-01,,,Sale\n,2024-05-02,2024-05-03,Sale\n",
            [("Sale", "2024-05-01"), ("Sale", "2024-05-02 to 2024-05-03")],
        ),
        (
            "date,name,market\n2024-05-01,A,\n2024-05-01,B,de\n2024-05-01,C,FR\nsoon,D,FR\n",
            [("A", "2024-05-01"), ("B", "2024-05-01")],
        ),
        (
            "from,to,name\n2024-05-01,2024-05-09,A\n2024-05-05,2024-05-20,B\n",
            [("A", "2024-05-01 to 2024-05-09"), ("B", "2024-05-05 to 2024-05-20")],
        ),
    ],
    ids=["one", "span", "excel", "both", "markets", "two names may overlap"],
)
def test_events(tmp_path: Path, text: str, expected: list[tuple[str, str]]) -> None:
    assert spans(read(tmp_path, text)) == expected


def test_dates_in_the_format_of_the_table(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "date,name\n29.11.2024,Sale\n2023-11-24,Sale\n",
        date={"column": "day", "frequency": "week", "format": "%d.%m.%Y"},
    )
    assert [days for _, days in spans(found)] == ["2023-11-24", "2024-11-29"]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", ["is empty"]),
        ("date,name\n", ["has no events"]),
        ("date,nome\n2024-01-01,A\n", ["a column `nome`", "Did you mean `name`?"]),
        ("date,name,date\n2024-01-01,A,\n", ["the column `date` twice"]),
        ("date,market\n2024-01-01,DE\n", ["no column `name`"]),
        ("name\nA\n", ["has no dates"]),
        ("from,name\n2024-01-01,A\n", ["a column `from`, but no column `to`"]),
        ("date,name\n2024-01-01\n", ["line 2: the row has 1 cells, but the header has 2"]),
        ('date,name\n2024-01-01,"A\n', ["line 2: unexpected end of data"]),
        ("date,name\n2024-02-30,A\n", ["line 2: `date` is `2024-02-30`", "in the form YYYY-MM-DD"]),
        ("date,name\n29.11.2024,A\n", ["line 2: `date` is `29.11.2024`"]),
        ("date,name\n,A\n", ["line 2: the row has no date"]),
        ("date,name\n2024-01-01,\n", ["line 2: `name` is ``"]),
        (f"date,name\n2024-01-01,{'x' * 64}\n", ["1 to 63 printable characters"]),
        ("from,to,name\n2024-01-02,,A\n", ["line 2: `to` is empty"]),
        ("from,to,name\n2024-01-02,2024-01-01,A\n", ["`from` (2024-01-02) is after `to`"]),
        (
            "date,from,to,name\n2024-01-01,2024-01-01,2024-01-02,A\n",
            ["the row has `date` and also `from` or `to`"],
        ),
        (
            "from,to,name\n2024-01-01,2024-03-01,A\n2024-01-05,2024-01-06,A\n"
            "2024-02-01,2024-02-02,A\n",
            [
                "line 3: `A` 2024-01-05 to 2024-01-06 overlaps with line 2",
                "line 4: `A` 2024-02-01 to 2024-02-02 overlaps with line 2",
            ],
        ),
        ("date,name,market\n2024-01-01,A,\n2024-01-01,A,DE\n", ["overlaps with line 2"]),
        (
            "date,name\n2024-01-01,Black Friday\n2024-02-01,black-friday\n",
            ["line 3", "differ only in case"],
        ),
        ("date,name\n2024-01-01,tv cost\n", ["is already the column `TV_COST` of the config"]),
        ("date,name\n2024-01-01,TV\n", ["is already the channel `tv`"]),
        ("date,name\n2024-01-01,Holiday\n", ["is already prophet's component `holiday`"]),
        ("date,name\n2024-01-01,intercept\n", ["is already a reserved name of the model"]),
        ("date,name\n2024-01-01,Next\n", ["is already a word of the R language (`next`)"]),
        (
            "date,name\n" + "".join(f"2024-01-01,E{i}\n" for i in range(MAX_NAMES + 1)),
            [f"has {MAX_NAMES + 1} event names", f"at most {MAX_NAMES}"],
        ),
        ("date,name\nx,A\ny,B\n", ["line 2: `date` is `x`", "line 3: `date` is `y`"]),
    ],
)
def test_each_fault_is_reported_with_its_line(
    tmp_path: Path, text: str, sentences: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    for sentence in sentences:
        assert sentence in caught.value.message


def test_penalty_factors_of_events_are_known_once_the_events_are(tmp_path: Path) -> None:
    text = "date,name\n2024-05-01,Summer Sale\n"
    training = {"add_penalty_factor": True, "hyperparameters": {"Summer_Sale_penalty": [0, 1]}}
    assert read(tmp_path, text, training=training).names == ["Summer Sale"]
    training["hyperparameters"] = {"Summer_Sail_penalty": [0, 1]}
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, training=training)
    assert caught.value.problems == [
        "`training.hyperparameters.Summer_Sail_penalty` is not a hyperparameter of this model. "
        "Did you mean `Summer_Sale_penalty`?"
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_bytes(b"date,name\n2024-01-01,\xe4\n")
    with pytest.raises(DataError, match="is not UTF-8"):
        read_annotations(config_of(tmp_path / "events.csv"))
    with pytest.raises(DataError, match=r"does not exist. Did you mean `events.csv`\?"):
        read_annotations(config_of(tmp_path / "event.csv"))
    (tmp_path / "large.csv").write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(DataError, match="is too large"):
        read_annotations(config_of(tmp_path / "large.csv"))


def test_paths_that_a_config_may_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a config from a message may only name gs://"):
        read_annotations(config_of(tmp_path / "events.csv"), files=False)
    for path in ("/proc/self/environ", "https://example.com/e.csv", "file:///e.csv"):
        with pytest.raises(ConfigError, match=r"allowed: a \.csv file, local or gs://"):
            config_of(path)
    assert read_annotations(config_of("e.csv", annotations=None)) is None


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_a_file_in_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    with running() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        server.create_bucket("events")
        open_store("gs://events").write("a/e.csv", b"date,name\n2024-01-01,A\n")
        found = read_annotations(config_of("gs://events/a/e.csv"), files=False)
        assert found is not None
        assert spans(found) == [("A", "2024-01-01")]
        with pytest.raises(DataError, match="does not exist"):
            read_annotations(config_of("gs://events/a/f.csv"))
