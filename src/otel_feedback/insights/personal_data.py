"""Finds what looks like personal data or a secret in texts, to count it, mask it, or leave rows with it out.

Best effort: patterns, with check digits where there are some, find addresses, numbers and keys of common forms. Names,
streets and what people tell of themselves they do not find.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

_KEY: Final = re.compile(
    r"\b(?:sk|pk|rk)[-_](?:[A-Za-z0-9]+[-_])*[A-Za-z0-9]{16,}\b"
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bxox[abprs]-[A-Za-z0-9-]{10,}\b|\bAIza[\w-]{35}"
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)
_EMAIL: Final = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b")
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD: Final = re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d.]?\d)")
_IP: Final = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:]|\.\d)"
)
_PHONE: Final = re.compile(r"(?<![\w+.-])(?:\+|00)?\(?\d{1,4}\)?(?:[ ./-]?\(?\d{2,5}\)?){2,6}(?![\w.-]?\d)")
_DATE: Final = re.compile(r"\d{4}[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ]\d{4}")


def _is_card(text: str) -> bool:
    """By Luhn's check digit, of a range that card issuers have."""
    digits = [int(each) for each in text if each.isdigit()]
    doubled = [sum(divmod(2 * each, 10)) for each in digits[-2::-2]]
    return digits[0] in {2, 3, 4, 5, 6} and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """By ISO 7064's check digits."""
    plain = text.replace(" ", "")
    return 15 <= len(plain) <= 34 and int("".join(str(int(each, 36)) for each in plain[4:] + plain[:4])) % 97 == 1


def _is_address(text: str) -> bool:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (found.is_loopback or found.is_unspecified)


def _is_phone(text: str) -> bool:
    """Nine to fifteen digits as people write numbers to call: with a prefix, or in groups, and no date."""
    digits = sum(each.isdigit() for each in text)
    is_grouped = len(re.findall(r"\d+", text)) > 1
    return 9 <= digits <= 15 and (text[0] in "+(0" or is_grouped) and not _DATE.match(text)


_KINDS: Final[tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...]] = (
    ("key", _KEY, lambda _: True),
    ("email", _EMAIL, lambda _: True),
    ("iban", _IBAN, _is_iban),
    ("card", _CARD, _is_card),
    ("ip", _IP, _is_address),
    ("phone", _PHONE, _is_phone),
)
TEXT_KEYS: Final = frozenset({"content", "arguments", "response", "result", "Comment", "Correction", "Reasons"})
MESSAGES_KEYS: Final = frozenset({"SystemInstructions", "InputMessages", "OutputMessages"})
KINDS: Final = tuple(name for name, _, _ in _KINDS)


def masked(text: str, found: Counter[str]) -> str:
    """The text with ``[email]`` and the like in place of what was found, which is added to the counts."""
    for name, pattern, is_one in _KINDS:

        def replacement(match: re.Match[str], name: str = name, is_one: Callable[[str], bool] = is_one) -> str:
            if not is_one(match[0]):
                return match[0]
            found[name] += 1
            return f"[{name}]"

        text = pattern.sub(replacement, text)
    return text


def texts_through(content: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """The row with each text that somebody wrote as ``change`` returns it; roles, types, names and ids stay.

    Texts are what stands under TEXT_KEYS, however deep, and within JSON there. JSON stays JSON: a number that is
    changed becomes a text.
    """
    changed = _walk(content, change, is_text=False)
    assert isinstance(changed, dict)  # noqa: S101  # as it was
    return changed


def _walk(value: Any, change: Callable[[str], str], *, is_text: bool) -> Any:
    match value:
        case dict():
            return {
                key: _messages(each, change)
                if key in MESSAGES_KEYS and isinstance(each, str)
                else _walk(each, change, is_text=is_text or key in TEXT_KEYS)
                for key, each in value.items()
            }
        case list():
            return [_walk(each, change, is_text=is_text) for each in value]
        case str() if is_text:
            return _inside(value, change, is_text=True)
        case int() | float() if is_text and not isinstance(value, bool):
            text = str(value)
            return value if (changed := change(text)) == text else changed
    return value


def _messages(text: str, change: Callable[[str], str]) -> str:
    """Messages as JSON, or the text itself where they are none."""
    return _inside(text, change, is_text=False)


def _inside(text: str, change: Callable[[str], str], *, is_text: bool) -> str:
    if text[:1] not in {"[", "{"}:
        return change(text)
    try:
        value = json.loads(text)
    except ValueError:
        return change(text)
    changed = _walk(value, change, is_text=is_text)
    return text if changed == value else json.dumps(changed, ensure_ascii=False)
