"""An attribute value as text, exactly as the Collector writes it into ClickHouse.

The rules are those of ``pcommon.Value.AsString``: Go's encoding/json without HTML escaping. Keys are sorted, the last
of two equal keys wins, bytes are base64, no bytes are null, and a value that holds NaN or an infinity anywhere is the
empty string.
"""

from __future__ import annotations

import base64
import math
import re
from json.encoder import encode_basestring
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue

# Python leaves these two as they are, Go escapes them whatever the settings.
_LINE_SEPARATORS: Final = re.compile("[\u2028\u2029]")
_SMALLEST_PLAIN: Final = 1e-6
_LARGEST_PLAIN: Final = 1e21


def nested_text(value: AnyValue) -> str:
    """The JSON text of an array or a map of any depth; "" where JSON can't say it (NaN, infinities)."""
    try:
        return _json(value)
    except _NotInJsonError:
        return ""


class _NotInJsonError(Exception):
    """NaN or an infinity; Go's encoder refuses the whole value."""


def _json(value: AnyValue) -> str:  # noqa: PLR0911  # one return a kind of value
    match value.WhichOneof("value"):
        case "string_value":
            return _quoted(value.string_value)
        case "kvlist_value":
            last = {pair.key: pair.value for pair in value.kvlist_value.values}
            return "{" + ",".join([f"{_quoted(key)}:{_json(last[key])}" for key in sorted(last)]) + "}"
        case "array_value":
            return "[" + ",".join([_json(each) for each in value.array_value.values]) + "]"
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "int_value":
            return str(value.int_value)
        case "double_value":
            return json_number(value.double_value)
        case "bytes_value":
            return f'"{base64.b64encode(value.bytes_value).decode()}"' if value.bytes_value else "null"
    return "null"


def _quoted(text: str) -> str:
    quoted = encode_basestring(text)
    if quoted.isascii() or _LINE_SEPARATORS.search(quoted) is None:
        return quoted
    return _LINE_SEPARATORS.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def json_number(number: float) -> str:
    """A double as Go's encoding/json writes it: shortest digits, an exponent below 1e-6 and from 1e21 on."""
    if not math.isfinite(number):
        raise _NotInJsonError
    if number == 0:
        return "-0" if math.copysign(1, number) < 0 else "0"
    digits, exponent = _shortest_digits(number)
    sign = "-" if number < 0 else ""
    if _SMALLEST_PLAIN <= abs(number) < _LARGEST_PLAIN:
        return sign + _plain(digits, exponent)
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'+' if exponent > 0 else '-'}{_exponent_digits(exponent)}"


def _exponent_digits(exponent: int) -> str:
    # Go writes e-09 as e-9 but leaves the positive ones, which start at e+21 here.
    return str(abs(exponent))


def _shortest_digits(number: float) -> tuple[str, int]:
    """The digits without zeros around them, and the power of ten of the first one."""
    mantissa, _, exponent = f"{abs(number)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading_zeros = len(whole + fraction) - len(digits)
    power = int(exponent or 0) + len(whole) - 1 - leading_zeros
    return digits.rstrip("0"), power


def _plain(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    if len(digits) <= exponent + 1:
        return digits + "0" * (exponent + 1 - len(digits))
    return f"{digits[: exponent + 1]}.{digits[exponent + 1 :]}"
