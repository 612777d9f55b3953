import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_feedback.dashboard.cursor import Cursor, CursorError, cut_page


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.text(max_size=300))
def test_a_cursor_comes_back_as_it_went(time_unix_nano, row_id):
    cursor = Cursor(time_unix_nano, row_id)
    assert Cursor.parse(str(cursor)) == cursor


def test_no_cursor_is_the_first_page():
    assert Cursor.parse("") == Cursor()


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'["x", 1]', b"[1]", b"[1, 2]", b'[true, "a"]', b'[9223372036854775808, "a"]', b"\xff"],
)
def test_a_foreign_cursor_is_refused(content):
    with pytest.raises(CursorError):
        Cursor.parse(base64.urlsafe_b64encode(content).decode() or "%%%")


def test_a_huge_cursor_is_refused_unread():
    with pytest.raises(CursorError, match="too long"):
        Cursor.parse("A" * 5000)


def test_a_page_knows_whether_there_is_more():
    rows = [{"At": 3 - n, "Id": str(n)} for n in range(3)]
    assert cut_page(rows, 3, "At", "Id").next_cursor == ""
    page = cut_page(rows, 2, "At", "Id")
    assert page.rows == rows[:2]
    assert Cursor.parse(page.next_cursor) == Cursor(2, "1")
