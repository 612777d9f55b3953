"""Whether HTML is as the standard wants it: parsed without an error, and no id twice."""

from __future__ import annotations

from collections import Counter

import html5lib


def mistakes_in(html: str) -> list[str]:
    """What html5lib's parser, which follows the standard, finds wrong, and the ids that stand more than once."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(html)
    found = [f"{code} at {position} {details}" for position, code, details in parser.errors]
    ids = Counter(element.get("id") for element in tree.iter() if element.get("id") is not None)
    return found + [f"id {each!r} {count} times" for each, count in ids.items() if count > 1]
