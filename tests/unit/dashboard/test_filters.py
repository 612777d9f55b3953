import pytest

from otel_feedback.dashboard.filters import FilterError, parse_period, parse_text

NOW = 1_779_999_960.0


def test_a_range_ends_now_and_beyond_and_is_the_same_for_all_who_ask_within_a_minute():
    period = parse_period({"range": "7d"}, now=NOW)
    assert period.since_unix_nano == (1_779_999_960 - 7 * 86_400) * 10**9
    assert parse_period({"range": "7d"}, now=NOW + 59.9) == period
    assert period.until_unix_nano == 2**63 - 1


def test_days_are_utc_and_both_included():
    period = parse_period({"from": "2026-05-01", "to": "2026-05-01"}, now=NOW)
    assert period.until_unix_nano - period.since_unix_nano == 86_400 * 10**9


@pytest.mark.parametrize(
    "query",
    [{"range": "1y"}, {"from": "yesterday"}, {"to": "2026-13-01"}, {"to": "9999-12-31"}, {"from": "0001-01-01"}],
)
def test_a_senseless_time_is_named(query):
    with pytest.raises(FilterError, match=next(iter(query))):
        parse_period(query, now=NOW)


def test_an_endless_filter_is_refused():
    with pytest.raises(FilterError, match="text"):
        parse_text({"text": "x" * 2000}, ("text",))
