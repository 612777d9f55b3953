"""Text that strangers wrote, made safe to look at: escaped, control characters visible, direction isolated.

Everything that people or models write reaches the pages through here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from markupsafe import Markup, escape

EXCERPT_CHARACTERS: Final = 600
MOST_MARKS: Final = 64
"""In one text. What is hidden beyond them is shown by one character each, lest a page gets fifty times as long."""
EXCERPT_LENGTHS: Final = (2000, 1200, 600, 400, 240, 120, 60)

_HIDDEN: Final = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 (but tab and newline), DEL, C1: terminals act on them
    "\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff"  # lone surrogates can't be encoded at all
    "\U000e0000-\U000e007f"  # tag characters: text that only a model reads
    "\ufdd0-\ufdef\ufffe\uffff"  # no characters at all, and not allowed in HTML; so are the last two of each plane
    + "".join(f"{chr((plane << 16) + 0xFFFE)}{chr((plane << 16) + 0xFFFF)}" for plane in range(1, 17))
    + "]"
)


_NAMES: Final = {0x00: "NUL", 0x07: "BEL", 0x08: "BS", 0x0B: "VT", 0x0C: "FF", 0x0D: "CR", 0x1B: "ESC", 0x7F: "DEL"}


def _symbol(character: str) -> str:
    """One visible character for a hidden one: Unicode's pictures of control characters, else the replacement mark."""
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"


def _mark(character: str) -> Markup:
    code = ord(character)
    name = f"U+{code:04X}"
    shown = _NAMES.get(code, name)
    return Markup('<span class="hidden-character" title="{}">{}</span>').format(name, shown)


def visible(text: Any) -> Markup:
    """The text as HTML: escaped, with every character that hides or reorders text shown by its name."""
    text = str(text).replace("\r\n", "\n")
    pieces: list[str] = []
    position = 0
    for match in islice(_HIDDEN.finditer(text), MOST_MARKS):
        pieces.extend((str(escape(text[position : match.start()])), str(_mark(match[0]))))
        position = match.end()
    pieces.append(str(escape(_HIDDEN.sub(lambda match: _symbol(match[0]), text[position:]))))
    return Markup("").join(Markup(piece) for piece in pieces)  # noqa: S704  # each piece was escaped above


def plain(text: Any, most_characters: int = 200) -> str:
    """The text for titles and attributes: one line, nothing hidden, cut to a length. Not escaped."""
    line = _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", " ".join(str(text).split()))
    return line if len(line) <= most_characters else line[: most_characters - 1].rstrip() + "\u2026"


def excerpt(text: Any, most_characters: int = EXCERPT_CHARACTERS) -> str:
    """The beginning of the text, cut between words where that costs little. Not escaped."""
    whole = str(text)
    if len(whole) <= most_characters:
        return whole
    cut = whole[:most_characters]
    space = cut.rfind(" ")
    return cut[: space if space > most_characters * 0.8 else most_characters].rstrip()


def fitting_length(texts: Iterable[str], most_bytes: int, lengths: tuple[int, ...] = EXCERPT_LENGTHS) -> int:
    """The longest of these lengths, in characters, at which excerpts of all the texts take no more bytes as HTML.

    The shortest one where none does: texts are many then, and their number is bounded elsewhere.
    """
    shown = [text[: lengths[0]] for text in texts if text]
    for length in lengths:
        if sum(len(visible(excerpt(text, length)).encode("utf-8", "replace")) for text in shown) <= most_bytes:
            return length
    return lengths[-1]
