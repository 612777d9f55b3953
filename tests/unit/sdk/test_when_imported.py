from __future__ import annotations

import importlib
import sys

import pytest

from otel_feedback.sdk.quiet import forget as tell_again
from otel_feedback.sdk.when_imported import _finder, forget, when_imported


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "late_module.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "late_module"
    forget("late_module")
    sys.modules.pop("late_module", None)


def test_a_module_that_is_there_is_told_at_once():
    seen = []
    when_imported("json", seen.append)
    assert seen == [sys.modules["json"]]


def test_a_module_is_told_once_after_it_is_complete(module):
    values = []
    when_imported(module, lambda imported: values.append(imported.value))
    assert module not in sys.modules
    imported = importlib.import_module(module)
    importlib.reload(imported)
    assert values == [1]
    assert _finder not in sys.meta_path


def test_several_may_wait_for_one_module(module):
    seen = []
    when_imported(module, lambda _: seen.append("first"))
    when_imported(module, lambda _: seen.append("second"))
    importlib.import_module(module)
    assert seen == ["first", "second"]


def test_what_is_forgotten_is_not_told(module):
    seen = []
    when_imported(module, seen.append)
    forget(module)
    importlib.import_module(module)
    assert seen == []


def test_a_module_that_fails_to_import_fails_as_ever_and_is_told_once_it_works(module, tmp_path):
    seen = []
    when_imported(module, seen.append)
    (tmp_path / "late_module.py").write_text("raise OSError('on purpose')\n")
    with pytest.raises(OSError, match="on purpose"):
        importlib.import_module(module)
    assert seen == []
    (tmp_path / "late_module.py").write_text("value = 3  # of another length\n")
    importlib.invalidate_caches()
    importlib.import_module(module)
    assert len(seen) == 1


def test_a_hook_that_fails_does_not_hurt_the_import(module, caplog):
    def fail(_):
        raise ValueError("on purpose")

    tell_again()
    when_imported(module, fail)
    assert importlib.import_module(module).value == 1
    assert "adding the feedback endpoint to late_module failed" in caplog.text


def test_a_module_that_is_missing_is_missed_as_ever():
    when_imported("no_such_module_anywhere", print)
    try:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("no_such_module_anywhere")
    finally:
        forget("no_such_module_anywhere")
