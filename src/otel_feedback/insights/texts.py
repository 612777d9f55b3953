"""Texts in any language as terms, and the script that they are written in."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from typing import Final

MOST_CHARACTERS: Final = 4000
"""What is read of a text."""

_UNSPACED: Final = (
    "\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"  # Han
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
)
"""Scripts that put no spaces between words."""
_PIECE: Final = re.compile(
    rf"(?P<unspaced>[{_UNSPACED}]+)|(?P<word>[^\W_{_UNSPACED}](?:[^\W{_UNSPACED}]|['\u2019](?=\w))*)"
)
_SCRIPTS: Final = {
    "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "CJK": "Han", "HANGUL": "Hangul", "LATIN": "Latin",
    "CYRILLIC": "Cyrillic", "GREEK": "Greek", "ARABIC": "Arabic", "HEBREW": "Hebrew", "DEVANAGARI": "Devanagari",
    "BENGALI": "Bengali", "TAMIL": "Tamil", "TELUGU": "Telugu", "THAI": "Thai", "LAO": "Lao", "KHMER": "Khmer",
    "MYANMAR": "Burmese", "GEORGIAN": "Georgian", "ARMENIAN": "Armenian", "ETHIOPIC": "Ethiopic",
}  # fmt: skip
_ENOUGH_LETTERS: Final = 200
_JAPANESE_SHARE: Final = 0.1
"""Japanese is mostly Han letters with kana between them."""


def terms(text: str) -> list[str]:
    """The words and pairs of words of a text; of scripts without spaces the pairs and triples of characters.

    Letters are folded as Unicode's NFKC and case folding do. One-letter words and numbers stand only within pairs.
    """
    folded = unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]).casefold()
    found: list[str] = []
    last, last_end = "", -2
    for piece in _PIECE.finditer(folded):
        run = piece["unspaced"]
        if run:
            found += [run] if len(run) == 1 else [run[i : i + 2] for i in range(len(run) - 1)]
            found += [run[i : i + 3] for i in range(len(run) - 2)]
            last = ""
            continue
        word = piece["word"]
        if len(word) > 1 and not word.isdigit():
            found.append(word)
        if last and folded[last_end : piece.start()].strip() == "":
            found.append(f"{last} {word}")
        last, last_end = word, piece.end()
    return found


def script(text: str) -> str:
    """The script of most of a text's letters, e.g. ``Latin``; "" for a text without letters.

    A script is no language: Latin is English and French alike, Han is Chinese where there are no kana.
    """
    counts: Counter[str] = Counter()
    letters = 0
    for letter in text[:MOST_CHARACTERS]:
        if letter.isalpha():
            counts[_script_of(letter)] += 1
            letters += 1
            if letters >= _ENOUGH_LETTERS:
                break
    if not counts:
        return ""
    if counts["Japanese"] >= _JAPANESE_SHARE * letters:
        return "Japanese"
    return min(counts, key=lambda each: (-counts[each], each))


@functools.cache
def _script_of(letter: str) -> str:
    name = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    return _SCRIPTS.get(name, name.capitalize())
