"""What ``otel-feedback report`` says without a database."""

from __future__ import annotations

import json

import pytest

from otel_feedback.cli import main, report
from otel_feedback.clickhouse import questions


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def said_of_usage(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["report", *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    return output.err.removeprefix("otel-feedback report: ").rstrip("\n")


def test_alone_it_lists_every_question_in_one_line(capsys):
    assert main(["report"]) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = dict(line.split(maxsplit=1) for line in lines[: lines.index("")])
    assert listed == {name: questions.load(name).asks for name in questions.names()}
    assert lines[-2].endswith(report.EXAMPLE)


def test_the_list_is_machine_readable(capsys):
    assert main(["report", "--format", "json"]) == 0
    listed = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert list(listed) == list(questions.names())
    assert listed["negatives"]["parameters"][0] == {
        "name": "since",
        "type": "DateTime('UTC')",
        "default": "30d",
        "about": "calls from this moment on",
        "example": "2026-11-01",
    }


def test_the_list_has_no_other_format(capsys):
    assert said_of_usage(capsys, "--format", "CSV") == "the list of questions comes as text, or with --format json"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("satisfaction_by_modell", "satisfaction_by_model"),
        ("Satisfaction by model", "satisfaction_by_model"),
        ("negative", "negatives"),
        ("unhappy", "users_turning_unhappy"),
        ("release", "before_after_release"),
    ],
)
def test_an_unknown_name_is_answered_with_near_ones(capsys, typed, meant):
    said = said_of_usage(capsys, typed)
    assert said.startswith(f"there is no question {typed!r}. Did you mean ")
    assert meant in said


def test_a_name_that_is_near_to_none_is_told_where_they_are(capsys):
    assert said_of_usage(capsys, "xyz") == "there is no question 'xyz'. `otel-feedback report` lists them."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["before_after_release"],
            (
                "before_after_release needs release, a DateTime('UTC'): the moment of the release. "
                "Example: --param release=2026-11-01T09:30"
            ),
        ),
        (
            ["negatives", "--param", "limit=many"],
            "limit='many' is no UInt32: rows at most, newest rating first. Example: --param limit=100",
        ),
        (
            ["negatives", "--since", "yesterday"],
            "since='yesterday' is no DateTime('UTC'): calls from this moment on. Example: --param since=2026-11-01",
        ),
        (
            ["negatives", "--param", "modle=x"],
            "negatives has no parameter 'modle'; it has since, until, service, name, characters, limit",
        ),
        (
            ["before_after_release", "--since", "7d"],
            "before_after_release has no parameter 'since'; it has release, days, service, name",
        ),
        (["negatives", "--param", "limit"], "--param 'limit' can't be read; write --param name=value"),
    ],
)
def test_a_parameter_that_is_wrong_or_missing_is_told_with_an_example(capsys, arguments, said):
    assert said_of_usage(capsys, *arguments) == said


@pytest.mark.parametrize("arguments", [["--since", "7d"], ["--sql"], ["--describe"], ["--param", "name=thumbs"]])
def test_what_makes_sense_with_a_question_only_needs_one(capsys, arguments):
    assert said_of_usage(capsys, *arguments).startswith("which question? ")


def test_two_things_instead_of_the_answer_are_too_many():
    with pytest.raises(SystemExit) as ended:
        main(["report", "negatives", "--sql", "--describe"])
    assert ended.value.code == 2


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["report", "--help"])
    assert ended.value.code == 0
    assert f"Example:\n  {report.EXAMPLE}" in capsys.readouterr().out


def test_a_question_is_described_with_its_parameters_and_its_cost(capsys):
    assert main(["report", "before_after_release", "--describe"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"before_after_release: {questions.load('before_after_release').asks}"
    assert lines[1] == "  release (DateTime('UTC'), needed): the moment of the release, e.g. 2026-11-01T09:30"
    assert lines[2] == "  days (UInt16, default 7): days before it and after it that are compared, e.g. 14"
    assert lines[3] == "  service (String, default all): calls of this service only, e.g. shop-assistant"
    assert lines[-1].startswith("Cost: one pass over ")


def test_a_query_to_paste_has_its_values_filled_in(capsys):
    given = ["--since", "2026-11-01", "--until", "2026-11-02T03:04:05+02:00", "--param", "service=it's \\ {x:String}"]
    assert main(["report", "negatives", "--sql", *given]) == 0
    query = capsys.readouterr().out
    assert query.startswith("-- Which answers did people reject, and what had been asked?\nSELECT\n")
    assert "Timestamp >= toDateTime('2026-11-01 00:00:00', 'UTC')" in query
    assert "Timestamp < toDateTime('2026-11-02 01:04:05', 'UTC')" in query
    assert r"ServiceName = 'it\'s \\ {x:String}'" in query
    assert query.endswith("LIMIT 20\n")


def test_a_query_for_grafana_has_its_time_range(capsys):
    assert main(["report", "satisfaction_by_day", "--grafana", "--param", "service=$service"]) == 0
    query = capsys.readouterr().out
    assert query.count("Timestamp >= $__fromTime\n") == query.count("Timestamp < $__toTime\n") == 2
    assert "ServiceName = '$service'" in query
