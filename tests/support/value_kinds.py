"""Every kind of attribute value, and its text, written out as Go's pcommon.Value.AsString has it."""

from __future__ import annotations

import math
from typing import Any, Final

KINDS: Final[dict[str, tuple[Any, str]]] = {
    "text": ("plain", "plain"),
    "empty text": ("", ""),
    "quotes": ("'\"`\\", "'\"`\\"),
    "control characters": ("a\0b\tc\nd\x1f", "a\0b\tc\nd\x1f"),
    "unicode": ("é 日本 🙂 \u2028 \ufeff", "é 日本 🙂 \u2028 \ufeff"),
    "looks like a value": ("NaN", "NaN"),
    "true": (True, "true"),
    "false": (False, "false"),
    "zero": (0, "0"),
    "largest integer": (2**63 - 1, "9223372036854775807"),
    "smallest integer": (-(2**63), "-9223372036854775808"),
    "whole double": (3.0, "3"),
    "fraction": (-0.1, "-0.1"),
    "1e20": (1e20, "100000000000000000000"),
    "1e21": (1e21, "1e+21"),
    "1e-6": (1e-6, "0.000001"),
    "1e-7": (1e-7, "1e-7"),
    "1.5e-10": (1.5e-10, "1.5e-10"),
    "1.5e300": (-1.5e300, "-1.5e+300"),
    "smallest double": (5e-324, "5e-324"),
    "negative zero": (-0.0, "-0"),
    "NaN": (math.nan, "NaN"),
    "infinity": (math.inf, "Infinity"),
    "negative infinity": (-math.inf, "-Infinity"),
    "bytes": (b"\x00\xff\xfe", "AP/+"),
    "no bytes": (b"", ""),
    "nothing": (None, ""),
    "no elements": ([], "[]"),
    "texts": (["a", "", 'q"\\\0\n/<&>\u2028é'], '["a","","q\\"\\\\\\u0000\\n/<&>\\u2028é"]'),
    "escapes in an array": (["\x1f\\u001F", "\\\x0b"], '["\\u001f\\\\u001F","\\\\\\u000b"]'),
    "integers": ([1, -(2**63)], "[1,-9223372036854775808]"),
    "doubles": ([1.0, 1e21, 1e-7, -0.0], "[1,1e+21,1e-7,-0]"),
    "NaN in an array": ([1.0, math.nan], ""),
    "infinity in an array": ([-math.inf], ""),
    "booleans": ([True, False], "[true,false]"),
    "bytes in an array": ([b"\x00", b""], '["AA==",null]'),
    "nothing in an array": ([None], "[null]"),
    "a mixed array": ([1, "1", True, 1.5, None, b"1"], '[1,"1",true,1.5,null,"MQ=="]'),
    "a map": ({"b": [{"c": None}], "a": 1}, '{"a":1,"b":[{"c":null}]}'),
    "an array of arrays": ([["x"], []], '[["x"],[]]'),
    "an empty map": ({}, "{}"),
    "NaN deep in a map": ({"a": {"b": math.nan}}, ""),
}
EVERY_KIND: Final = {key: value for key, (value, _) in KINDS.items()}
EVERY_TEXT: Final = {key: text for key, (_, text) in KINDS.items()}
