"""What holds for each of the questions people ask, and for the view that shows rated traces as they are."""

from __future__ import annotations

import pytest
from tests.support.asked_history import NOW, PERIOD, Past
from tests.support.made_ratings import SERVICES

from otel_feedback.clickhouse import questions


@pytest.mark.parametrize("name", questions.names())
def test_a_filled_statement_answers_as_one_with_parameters(past: Past, name: str):
    question = questions.load(name)
    given = {**PERIOD, "release": "2026-11-11", "service": SERVICES[0], "name": "thumbs"}
    given = {each.name: given[each.name] for each in question.parameters if each.name in given}
    values = question.values(given, NOW)
    answer = past.database.raw(question.statement, values, format_name="CSVWithNames")
    assert answer.count(b"\n") > 1
    assert past.database.raw(question.filled(values), {}, format_name="CSVWithNames") == answer


@pytest.mark.parametrize("name", questions.names())
def test_what_was_not_there_yet_gives_no_rows(past: Past, name: str):
    question = questions.load(name)
    given = {"since": "2020-01-01", "until": "2020-02-01", "release": "2020-01-15"}
    assert past.ask(name, {each.name: given[each.name] for each in question.parameters if each.name in given}) == []


def test_rated_traces_shows_what_traces_and_feedback_show(past: Past):
    joined = past.database.query(
        "SELECT trace.*, rating.FeedbackId, rating.Time, rating.Name, rating.Value, rating.Label, rating.Comment, "
        "rating.Correction, rating.Reasons, rating.Scope, rating.Source, rating.RaterId, rating.Changes "
        "FROM traces AS trace INNER JOIN feedback AS rating ON rating.TraceId = trace.TraceId "
        "ORDER BY trace.TraceId, rating.FeedbackId"
    )
    rated = past.database.query("SELECT * FROM rated_traces ORDER BY TraceId, FeedbackId")
    assert len(rated) > 100
    assert [list(row.values()) for row in rated] == [list(row.values()) for row in joined]
