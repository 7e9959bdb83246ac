"""Questions of a proposal: in JSON, by options, and at a terminal."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from contract.exceptions import ConfigError
from contract.loading import load_config
from mmm.commands import app
from mmm.propose import init_config
from mmm.propose.questions import merge_patch
from mmm.schemas import json_schema
from tests.fakes.terminal import Terminal
from tests.unit.sources.test_workbooks import write_book

ROOT = Path(__file__).resolve().parents[3]


def table(rows: int = 40) -> pd.DataFrame:
    random = np.random.default_rng(1)
    names = ["revenue", "orders", "tv_spend", "search_spend", "tv_viewers_likes"]
    frame = pd.DataFrame({name: random.gamma(3, 100, rows).round(2) for name in names})
    frame.insert(0, "week", pd.date_range("2022-01-03", periods=rows, freq="7D").date)
    return frame


def write(frame: pd.DataFrame, folder: Path) -> str:
    path = folder / "table.csv"
    frame.to_csv(path, index=False)
    return str(path)


def proposal(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["init", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    jsonschema.validate(document, json_schema("proposal"))
    return dict(document)


def applied(config: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Apply a JSON Merge Patch."""
    made = dict(config)
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        elif isinstance(value, dict) and isinstance(made.get(key), dict):
            made[key] = applied(made[key], value)
        else:
            made[key] = value
    return made


def test_json_has_the_questions_and_what_each_answer_changes(tmp_path: Path) -> None:
    path = write(table(), tmp_path)
    made = proposal(path)
    questions = {question["id"]: question for question in made["questions"]}
    assert made["problem"] is None
    assert set(questions) == {"target", "role:tv_viewers_likes"}
    role = questions["role:tv_viewers_likes"]
    assert role["default"] == "unused"
    assert role["examples"][0]["row"] == 2
    for question in made["questions"]:
        for option in question["options"]:
            answered = init_config(
                {"type": "file", "path": path},
                market="XX",
                answers={question["id"]: option["value"]},
            )
            patched = applied(made["config"], option["change"])
            assert patched == yaml.safe_load(answered)
            load_config(patched)
    by_value = {option["value"]: option["change"] for option in role["options"]}
    assert by_value["unused"] == {}
    assert by_value["context"] == {"context": ["tv_viewers_likes"]}
    assert {"name": "tv_likes", "spend": "tv_viewers_likes"} in by_value["spend"]["channels"]


def test_answers_without_a_terminal(tmp_path: Path) -> None:
    path = write(table(), tmp_path)
    arguments = [
        "init",
        path,
        "--answer",
        "target=orders",
        "--answer",
        "role:tv_viewers_likes=spend",
    ]
    done = CliRunner().invoke(app, arguments)
    config = load_config(done.stdout).config
    assert config.target.column == "orders"
    assert "tv_viewers_likes" in [channel.spend for channel in config.channels]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"targt": "orders"}, "no such question; asked: target, role:tv_viewers_likes"),
        (
            {"target": "order"},
            "`--answer target=order`; allowed: revenue, orders. Did you mean `orders`?",
        ),
    ],
)
def test_wrong_answers_are_named(answer: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message.replace("?", "[?]")):
        init_config({"type": "file", "path": write(table(), tmp_path)}, market="XX", answers=answer)


def test_an_ambiguous_date_is_a_question_without_a_default(tmp_path: Path) -> None:
    frame = table().drop(columns=["orders", "tv_viewers_likes"])
    frame["week"] = [f"{1 + i % 9:02}/{1 + i // 9:02}/2024" for i in range(len(frame))]
    path = write(frame, tmp_path)
    made = proposal(path)
    (question,) = made["questions"]
    assert (question["id"], question["default"]) == ("date.format:week", None)
    assert made["config"] is None
    assert "no date column" in made["problem"]
    labels = {option["value"]: option["label"] for option in question["options"]}
    assert labels["%m/%d/%Y"] == "`01/01/2024` is 2024-01-01"
    answered = proposal(path, "--answer", "date.format:week=%m/%d/%Y")
    assert answered["config"]["date"]["format"] == "%m/%d/%Y"


def test_a_market_and_a_sheet_are_questions(tmp_path: Path) -> None:
    frame = table().drop(columns=["orders", "tv_viewers_likes"])
    both = pd.concat([frame.assign(country="DE"), frame.assign(country="FR")])
    rows = [list(both), *both.to_numpy().tolist()]
    path = str(write_book(tmp_path / "t.xlsx", {"A": rows[:21], "B": rows}))
    made = proposal(path)
    assert [question["id"] for question in made["questions"]] == [
        "sheet"
    ]  # sheet A has one country
    made = proposal(path, "--answer", "sheet=B")
    assert [question["id"] for question in made["questions"]] == ["sheet", "market"]
    answered = proposal(path, "--answer", "sheet=B", "--answer", "market=FR")["config"]
    assert answered["source"]["sheet"] == "B"
    assert (answered["market"], answered["source"]["country_column"]) == ("FR", "country")


def test_numbers_that_have_two_readings_are_a_question(tmp_path: Path) -> None:
    frame = table().drop(columns=["orders", "tv_viewers_likes"])
    frame["tv_spend"] = ["1,250" if i % 7 == 0 else str(100 + i) for i in range(len(frame))]
    path = write(frame, tmp_path)
    (question,) = proposal(path)["questions"]
    assert (question["id"], question["default"]) == ("numbers:tv_spend", None)
    changed = proposal(path, "--answer", "numbers:tv_spend=thousands")["config"]
    assert changed["numbers"] == {"thousands": ","}
    changed = proposal(path, "--answer", "numbers:tv_spend=decimal")["config"]
    # the other columns write a point
    assert changed["numbers"] == {"columns": {"tv_spend": {"decimal": ","}}}


class TestTerminal:
    """`mmm init` as a person at a terminal meets it."""

    def start(self, path: str, *arguments: str) -> Terminal:
        command = [sys.executable, "-m", "mmm", "init", path, *arguments]
        return Terminal(command, cwd=ROOT, env=os.environ)

    def test_enter_takes_the_default_and_a_number_chooses(self, tmp_path: Path) -> None:
        output = tmp_path / "c.yaml"
        terminal = self.start(write(table(), tmp_path), "--output", str(output))
        terminal.read_until("[1/2] Which column is the target")
        terminal.type("2\n")
        terminal.read_until("[2/2] What is `tv_viewers_likes`?")
        terminal.read_until("unused: leave it out  (Enter)")
        terminal.type("9\n")
        terminal.read_until("Type a number from 1 to 5.")
        terminal.type("\n")
        assert terminal.finish() == 0
        config = load_config(output.read_text()).config
        assert config.target.column == "orders"
        assert len(config.channels) == 2

    def test_ctrl_c_ends_cleanly(self, tmp_path: Path) -> None:
        terminal = self.start(write(table(), tmp_path))
        terminal.read_until("[1/2]")
        terminal.type("\x03")
        assert terminal.finish() == 130
        assert terminal.lines()[-1] == "mmm: interrupted by Ctrl-C"
        assert not any("Traceback" in line for line in terminal.lines())

    def test_yes_asks_nothing(self, tmp_path: Path) -> None:
        terminal = self.start(write(table(), tmp_path), "--yes")
        assert terminal.finish() == 0
        assert not any(line.startswith("[1/") for line in terminal.lines())


def test_a_pipe_is_never_asked(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["init", write(table(), tmp_path)], input="2\n2\n")
    assert done.exit_code == 0
    assert load_config(done.stdout).config.target.column == "revenue"
    assert "[1/" not in done.output


def test_a_merge_patch_removes_adds_and_replaces() -> None:
    before = {"a": 1, "b": {"c": 2, "d": 3}, "e": [1]}
    after = {"b": {"c": 2, "d": 4}, "e": [1, 2], "f": {"g": 5}}
    assert applied(before, merge_patch(before, after)) == after
