from datetime import UTC, datetime

from otel_feedback.dashboard.chart import HEIGHT, draw

SINCE = datetime(2026, 5, 1, 15, 30, tzinfo=UTC)
UNTIL = datetime(2026, 5, 3, 9, 0, tzinfo=UTC)


def _row(start, positive=0, neutral=0, negative=0, other=0):
    return {
        "Start": int(start.timestamp()),
        "Positive": positive,
        "Neutral": neutral,
        "Negative": negative,
        "Ratings": positive + neutral + negative + other,
    }


def test_days_without_ratings_have_their_place():
    chart = draw([_row(datetime(2026, 5, 2, tzinfo=UTC), positive=3, negative=1)], since=SINCE, until=UNTIL, unit="day")
    assert [bar.day for bar in chart.bars] == ["2026-05-01", "2026-05-02", "2026-05-03"]
    assert [len(bar.pieces) for bar in chart.bars] == [0, 2, 0]


def test_the_highest_bar_fills_the_height():
    chart = draw([_row(datetime(2026, 5, 2, tzinfo=UTC), 5, 1, 2, 2)], since=SINCE, until=UNTIL, unit="day")
    pieces = chart.bars[1].pieces
    assert chart.top == 10
    assert sum(piece.height for piece in pieces) == HEIGHT
    assert pieces[-1].y == 0


def test_a_day_has_bars_by_the_hour():
    chart = draw([], since=datetime(2026, 5, 2, 9, 5, tzinfo=UTC), until=UNTIL, unit="hour")
    assert len(chart.bars) == 25
    assert chart.bars[0].day == "2026-05-02 09:00"


def test_all_of_history_does_not_make_endless_bars():
    assert len(draw([], since=datetime(1970, 1, 1, tzinfo=UTC), until=UNTIL, unit="day").bars) == 400
