from markupsafe import Markup

from otel_feedback.dashboard.shown_text import EXCERPT_LENGTHS, MOST_MARKS, excerpt, fitting_length, plain, visible


def test_markup_is_escaped():
    shown = visible('<script>alert("1")</script> & more')
    assert isinstance(shown, Markup)
    assert shown == "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; &amp; more"


def test_terminal_escapes_and_nul_are_shown_by_name():
    shown = visible("a\x1b[31m\x00\x9b")
    assert "\x1b" not in shown
    assert "\x00" not in shown
    assert 'title="U+001B">ESC</span>' in shown
    assert "U+009B" in shown


def test_text_that_reorders_or_hides_is_shown_by_name():
    for hidden in ("\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041"):
        shown = visible(f"a{hidden}b")
        assert hidden not in shown
        assert f"U+{ord(hidden):04X}" in shown


def test_lines_tabs_and_emoji_sequences_stay_as_they_are():
    text = "one\n\ttwo \U0001f469\u200d\U0001f52c"
    assert visible(text) == text
    assert visible("a\r\nb") == "a\nb"


def test_a_lone_surrogate_can_be_encoded_afterwards():
    visible("\ud800").encode("utf-8")


def test_plain_is_one_short_line():
    assert plain("a\n b\x1bc") == "a b\\u001bc"
    assert plain("x" * 300, 10) == "x" * 9 + "\u2026"


def test_an_excerpt_ends_between_words_where_it_can():
    assert excerpt("short") == "short"
    assert excerpt("word " * 100, 50) == ("word " * 10).rstrip()[:49]
    assert len(excerpt("x" * 1000, 50)) == 50


def test_what_is_no_character_is_shown_by_name():
    for hidden in ("\ufffe", "\uffff", "\ufdd0", "\U0010ffff", "\U0001fffe"):
        assert f"U+{ord(hidden):04X}" in visible(f"a{hidden}b")


def test_a_text_of_nothing_but_hidden_characters_stays_short():
    shown = visible("\x1b" * 5000 + "\x7f\u202e\n")
    assert shown.count("hidden-character") == MOST_MARKS
    assert shown.endswith("\u241b\u2421\ufffd\n")
    assert len(shown) < 5000 + MOST_MARKS * 80


def test_the_excerpts_are_as_long_as_fits():
    assert fitting_length([], 0) == EXCERPT_LENGTHS[0]
    assert fitting_length(["x" * 3000], 2000) == 2000
    assert fitting_length(["x" * 3000], 1999) == 1200
    assert fitting_length(["x" * 3000] * 10, 4000) == 400
    assert fitting_length(["<" * 3000] * 10, 4000) == 60, "as HTML each of them takes four bytes"
    assert fitting_length(["x" * 3000] * 1000, 4000) == EXCERPT_LENGTHS[-1]
    assert fitting_length(["x" * 30] * 10, 400, (8000, 20)) == 8000
