from datetime import UTC, datetime

import pytest

from otel_feedback.dashboard.filters import FilterError
from otel_feedback.dashboard.overview_choice import Choice
from otel_feedback.dashboard.overview_figures import starts

NOW = datetime(2026, 11, 25, 13, 45, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("query", "since", "until"),
    [
        ({}, "2026-11-19 00:00:00", "2026-11-26 00:00:00"),
        ({"range": "24h"}, "2026-11-24 14:00:00", "2026-11-25 14:00:00"),
        ({"range": "30d"}, "2026-10-27 00:00:00", "2026-11-26 00:00:00"),
        ({"range": "all"}, "1970-01-02 00:00:00", "2026-11-26 00:00:00"),
        ({"from": "2026-01-05"}, "2026-01-05 00:00:00", "2026-11-26 00:00:00"),
        ({"from": "2026-01-05", "to": "2026-01-06"}, "2026-01-05 00:00:00", "2026-01-07 00:00:00"),
        ({"from": "2030-01-01"}, "2026-11-26 00:00:00", "2026-11-26 00:00:00"),
        ({"to": "1970-01-01"}, "1970-01-02 00:00:00", "1970-01-02 00:00:00"),
    ],
    ids=str,
)
def test_a_time_is_whole_days_or_hours(query, since, until):
    choice = Choice.parse(query, NOW)
    assert (choice.for_questions["since"], choice.for_questions["until"]) == (since, until)
    first, last = (datetime.fromisoformat(each).replace(tzinfo=UTC).timestamp() for each in (since, until))
    assert (choice.for_queries["since"], choice.for_queries["until"]) == (int(first) * 10**9, int(last) * 10**9)


def test_all_who_ask_within_a_day_ask_the_same():
    assert Choice.parse({}, NOW) == Choice.parse({}, NOW + 3600)


def test_two_weeks_end_where_the_chosen_time_does():
    weeks = Choice.parse({"range": "30d", "model": "m"}, NOW).two_weeks
    assert (weeks["since"], weeks["until"]) == ("2026-11-12 00:00:00", "2026-11-26 00:00:00")
    assert (weeks["recent_days"], weeks["model"]) == (7, "m")


def test_links_keep_the_choice():
    choice = Choice.parse({"range": "7d", "service": "s"}, NOW)
    assert Choice.parse(choice.link, NOW) == choice
    assert choice.link_of_ratings["from"] == "2026-11-19"
    assert "range" not in choice.link_of_ratings


def test_every_hour_or_day_has_its_bar_and_all_time_begins_with_the_first_rating():
    assert len(starts(Choice.parse({"range": "24h"}, NOW), [])) == 24
    assert len(starts(Choice.parse({"range": "90d"}, NOW), [])) == 90
    first = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
    assert len(starts(Choice.parse({"range": "all"}, NOW), [{"Start": first}])) == 6


def test_a_senseless_choice_is_named():
    with pytest.raises(FilterError, match="range"):
        Choice.parse({"range": "1y"}, NOW)
    with pytest.raises(FilterError, match="model"):
        Choice.parse({"model": "m" * 2000}, NOW)
