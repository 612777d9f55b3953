from otel_feedback.dashboard.waterfall import AXIS_UNITS, MAX_SHOWN_DEPTH, lay_out

WEEK = 7 * 86_400 * 10**9


def _span(span_id, parent="", start=0, duration=100, name="work"):
    return {"SpanId": span_id, "ParentSpanId": parent, "SpanName": name, "StartUnixNano": start, "Duration": duration}


def test_children_follow_their_parent_in_order_of_time():
    spans = [_span("c", "a", 50, 10), _span("b", "a", 10, 20), _span("d", "b", 12, 5), _span("a")]
    assert [(bar.span["SpanId"], bar.depth) for bar in lay_out(spans, []).bars] == [
        ("a", 0),
        ("b", 1),
        ("d", 2),
        ("c", 1),
    ]


def test_bars_lie_within_the_axis():
    bars = lay_out([_span("a", "", 1000, 100), _span("b", "a", 1050, 50), _span("c", "a", 1100, 0)], []).bars
    assert [(bar.left, bar.width) for bar in bars[:2]] == [(0, AXIS_UNITS), (500, 500)]
    assert all(0 <= bar.left <= bar.left + bar.width <= AXIS_UNITS for bar in bars)


def test_a_rating_weeks_later_does_not_stretch_the_axis():
    spans = [_span("a", "", 0, 100), _span("f", "a", WEEK, 0, "user_feedback thumbs")]
    waterfall = lay_out(spans, [])
    assert waterfall.duration_nanoseconds == 100
    carrier = waterfall.bars[1]
    assert carrier.is_carrier
    assert carrier.after_end_nanoseconds == WEEK - 100


def test_a_span_without_its_parent_stands_at_the_root_and_says_so():
    (bar,) = lay_out([_span("a", "gone")], []).bars
    assert bar.depth == 0
    assert bar.is_orphan


def test_a_loop_of_parents_shows_every_span_once():
    spans = [_span("a", "b"), _span("b", "a"), _span("c", "c"), _span("d")]
    assert sorted(bar.span["SpanId"] for bar in lay_out(spans, []).bars) == ["a", "b", "c", "d"]


def test_spans_that_share_an_id_are_all_shown():
    assert len(lay_out([_span("a"), _span("a"), _span("b", "a"), _span("")], []).bars) == 4


def test_a_very_deep_tree_is_cut_in_width_not_in_spans():
    spans = [_span(str(n), str(n - 1) if n else "") for n in range(3000)]
    bars = lay_out(spans, []).bars
    assert len(bars) == 3000
    assert max(bar.depth for bar in bars) == MAX_SHOWN_DEPTH


def test_a_rating_stands_at_its_span():
    ratings = [{"Scope": "span", "SpanId": "b", "Name": "thumbs"}, {"Scope": "trace", "SpanId": "b", "Name": "stars"}]
    bars = lay_out([_span("a"), _span("b", "a")], ratings).bars
    assert [[rating["Name"] for rating in bar.ratings] for bar in bars] == [[], ["thumbs"]]


def test_a_trace_of_nothing_but_carriers_has_no_length():
    assert lay_out([_span("f", "", WEEK, 0, "user_feedback thumbs")], []).duration_nanoseconds == 0
    assert lay_out([], []).bars == []


def test_carriers_alone_are_no_work():
    assert not lay_out([_span("f", "", WEEK, 0, "user_feedback thumbs")], []).has_work
    assert lay_out([_span("a")], []).has_work
