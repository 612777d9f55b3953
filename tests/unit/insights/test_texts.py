"""Terms and scripts of texts in many languages."""

from __future__ import annotations

import pytest

from otel_feedback.insights.texts import script, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Refund, please!", ["the", "refund", "the refund", "please"]),
        ("I don\u2019t know", ["don\u2019t", "i don\u2019t", "know", "don\u2019t know"]),
        ("order 1042 late", ["order", "order 1042", "late", "1042 late"]),
        ("STRASSE straße", ["strasse", "strasse", "strasse strasse"]),
        ("Где мой заказ", ["где", "мой", "где мой", "заказ", "мой заказ"]),
        ("退款太慢", ["退款", "款太", "太慢", "退款太", "款太慢"]),
        ("ＰＤＦを", ["pdf", "を"]),
        ("환불 언제", ["환불", "언제", "환불 언제"]),
        ("สวัสดี", ["สว", "วั", "ัส", "สด", "ดี", "สวั", "วัส", "ัสด", "สดี"]),
        ("", []),
        ("…!? 😀", []),
    ],
)
def test_terms_are_words_and_pairs_or_characters_where_no_spaces_part_words(text: str, expected: list[str]):
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Where is my order?", "Latin"),
        ("Где мой заказ?", "Cyrillic"),
        ("返品したいのですが", "Japanese"),
        ("我想退货", "Han"),
        ("환불 언제", "Hangul"),
        ("أين طلبي", "Arabic"),
        ("मेरा ऑर्डर", "Devanagari"),
        ("API を使う", "Japanese"),
        ("42 ?!", ""),
    ],
)
def test_the_script_is_that_of_most_letters(text: str, expected: str):
    assert script(text) == expected
