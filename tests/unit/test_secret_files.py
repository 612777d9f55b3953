from __future__ import annotations

from pathlib import Path

import pytest

from otel_feedback.errors import ConfigurationError
from otel_feedback.settings import PREFIX, Settings, fields, setting_name


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_secret_may_stand_in_a_file(folder: Path):
    (folder / "secret").write_text("a-secret-of-a-file\n")
    for each in fields(Settings):
        variable = f"{PREFIX}{setting_name(each.name).upper()}_FILE"
        value = getattr(Settings.load({variable: "secret"}), each.name)
        taken = value in {"a-secret-of-a-file", ("a-secret-of-a-file",)}
        assert taken is each.metadata["may_be_file"], variable


def test_a_list_has_an_item_a_line_or_commas(folder: Path):
    (folder / "keys").write_text("new\n\n old , older\n")
    assert Settings.load({"OTEL_FEEDBACK_SIGNING_KEYS_FILE": "keys"}).signing_keys == ("new", "old", "older")


def test_the_toml_file_names_files_too_and_the_environment_wins(folder: Path):
    (folder / "keys").write_text("from-the-file")
    (folder / "otel-feedback.toml").write_text('signing_keys_file = "keys"\n')
    assert Settings.load({}).signing_keys == ("from-the-file",)
    assert Settings.load({"OTEL_FEEDBACK_SIGNING_KEYS": "said"}).signing_keys == ("said",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "can't be read: No such file"),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xff", "can't be read: it is not UTF-8"),
        (b"one\ntwo", "on one line"),
    ],
)
def test_a_file_that_holds_no_secret_is_told_without_it(folder: Path, content: bytes | None, said: str):
    if content is not None:
        (folder / "secret").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"OTEL_FEEDBACK_PSEUDONYM_KEY_FILE=.*secret") as caught:
        Settings.load({"OTEL_FEEDBACK_PSEUDONYM_KEY_FILE": "secret"})
    assert said in str(caught.value)
    assert "two" not in str(caught.value)


def test_a_secret_and_its_file_are_not_both_set():
    both = {"OTEL_FEEDBACK_SIGNING_KEYS": "a", "OTEL_FEEDBACK_SIGNING_KEYS_FILE": "b"}
    with pytest.raises(ConfigurationError, match="OTEL_FEEDBACK_SIGNING_KEYS and OTEL_FEEDBACK_SIGNING_KEYS_FILE"):
        Settings.load(both)


def test_what_is_no_secret_has_no_file(folder: Path):
    (folder / "otel-feedback.toml").write_text('retention_file = "a"\n')
    with pytest.raises(ConfigurationError, match="no such setting: retention_file"):
        Settings.load({})
