"""Configs of the bucket: saved as new versions, and never over one that was not seen."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contract import layout
from contract.exceptions import ConfigError
from contract.stores.folder import FolderStore
from mmm import configs
from mmm.commands import app
from tests.runs import WEEKLY


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    (tmp_path / "bucket").mkdir()
    return FolderStore(tmp_path / "bucket")


def test_a_new_version_keeps_the_one_before(store: FolderStore) -> None:
    first = configs.save(store, "de", WEEKLY, seen=0, by="ann@example.com")
    assert first.config is not None
    assert "Saved by ann@example.com at" in (first.saved or "")
    other = WEEKLY.replace("context: [COMPETITOR_SALES]", "")
    second = configs.save(store, "de", other, seen=first.generation, by="bob@example.com")
    assert second.generation > first.generation
    kept = store.read(layout.config_version("de", first.generation)).data.decode()
    assert kept == first.text
    again = configs.save(store, "de", second.text, seen=second.generation, by="ann@example.com")
    assert again.text.count("# Saved by") == 1


def test_the_second_of_two_people_is_told_who_was_first(store: FolderStore) -> None:
    seen = configs.save(store, "de", WEEKLY, seen=0, by="ann@example.com").generation
    configs.save(store, "de", WEEKLY, seen=seen, by="bob@example.com")
    with pytest.raises(ConfigError, match=r"newer version.* bob@example\.com at"):
        configs.save(store, "de", WEEKLY, seen=seen, by="ann@example.com")
    with pytest.raises(ConfigError, match="newer version"):
        configs.save(store, "de", WEEKLY, seen=0, by="ann@example.com")
    found = configs.read(store, "de")
    assert found is not None
    assert "bob@example.com" in found.text


def test_of_two_at_once_one_wins(store: FolderStore) -> None:
    seen = configs.save(store, "de", WEEKLY, seen=0, by="ann@example.com").generation
    wins: list[str] = []

    def save(by: str) -> None:
        try:
            configs.save(store, "de", WEEKLY, seen=seen, by=by)
            wins.append(by)
        except ConfigError:
            pass

    threads = [threading.Thread(target=save, args=(f"p{n}@example.com",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = configs.read(store, "de")
    assert found is not None
    assert len(wins) == 1
    assert wins[0] in found.text


def test_a_removed_config_is_not_made_again(store: FolderStore) -> None:
    seen = configs.save(store, "de", WEEKLY, seen=0, by="a").generation
    store.delete(layout.config("de"))
    with pytest.raises(ConfigError, match="was removed"):
        configs.save(store, "de", WEEKLY, seen=seen, by="a")


@pytest.mark.parametrize("name", ["../x", "a/b", "", "a" * 80, ".x"])
def test_names_are_checked(store: FolderStore, name: str) -> None:
    with pytest.raises(ConfigError, match="the config's name"):
        configs.save(store, name, WEEKLY, seen=0, by="a")


def test_what_is_not_a_config_is_not_saved(store: FolderStore) -> None:
    with pytest.raises(ConfigError, match="market"):
        configs.save(store, "de", "version: 1", seen=0, by="a")
    assert configs.read(store, "de") is None


def test_a_config_edited_by_other_means_is_listed_with_its_problem(store: FolderStore) -> None:
    configs.save(store, "de", WEEKLY, seen=0, by="a")
    store.write(layout.config("fr"), b"version: 1\nmarket: 1")
    store.write("configs/old/fr.yaml", b"")
    first = configs.stored_configs(store)
    assert [(one.name, one.problem is None) for one in first] == [("de", True), ("fr", False)]
    again = configs.stored_configs(store, first)
    assert again[0] is first[0]  # not read again


def test_a_free_name_is_suggested() -> None:
    assert configs.suggest_name("DE", []) == "de"
    assert configs.suggest_name("DE", ["de", "de-2", "fr"]) == "de-3"


def test_the_command_refuses_to_replace_what_it_was_not_shown(
    store: FolderStore, tmp_path: Path
) -> None:
    file = tmp_path / "de.yaml"
    file.write_text(WEEKLY)

    def mmm(*options: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["save", str(file), "--bucket", str(store.root), *options])
        return done.exit_code, done.output

    code, text = mmm("--json")
    assert code == 0
    version = json.loads(text)["version"]
    code, text = mmm()
    assert code == 64
    assert f"--replace {version}" in text
    assert mmm("--replace", str(version))[0] == 0
    assert mmm("--replace", str(version))[0] == 64
    assert mmm("--name", "other")[0] == 0
