"""Numbers and moments as people read them. Times are UTC; a static script shows them in the viewer's own zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from markupsafe import Markup

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION_STEPS: Final = ((86_400e9, "d"), (3_600e9, "h"), (60e9, "min"), (1e9, "s"), (1e6, "ms"), (1e3, "\u00b5s"))
LABELS: Final = ("positive", "neutral", "negative")


def moment(unix_nano: Any) -> Markup:
    """A ``<time>`` element: UTC to the second, for the script to localise."""
    when = _EPOCH + timedelta(microseconds=int(unix_nano) // 1000)
    return Markup('<time datetime="{}">{}</time>').format(
        when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), when.strftime("%Y-%m-%d %H:%M:%S UTC")
    )


def duration(nanoseconds: Any) -> str:
    """``850 ms``, ``2.4 s``, ``3 min 20 s``; an en dash for nothing."""
    amount = int(nanoseconds or 0)
    if amount <= 0:
        return "\u2013"
    for index, (size, unit) in enumerate(_DURATION_STEPS):
        if amount < size:
            continue
        if unit in {"d", "h", "min"}:
            whole, rest = divmod(amount, int(size))
            below_size, below_unit = _DURATION_STEPS[index + 1]
            below = int(rest // below_size)
            return f"{whole} {unit} {below} {below_unit}" if below else f"{whole} {unit}"
        value = amount / size
        return f"{value:.1f} {unit}" if value < 10 and unit == "s" else f"{value:.0f} {unit}"
    return f"{amount} ns"


def count(number: Any) -> str:
    """A whole number with thin spaces between thousands."""
    return f"{int(number or 0):,}".replace(",", "\u202f")


def percent(value: float | None) -> str:
    """A share as percent, to one digit where it is small or nearly whole."""
    if value is None:
        return "\u2013"
    shown = value * 100
    return f"{shown:.1f}\u202f%" if 0 < shown < 10 or 99 < shown < 100 else f"{shown:.0f}\u202f%"


def score(rating: dict[str, Any]) -> str:
    """The value of a rating with its range: ``4 of 1\u20135``; "" for thumbs, whose label says it all."""
    value, low, high = rating.get("Value"), rating.get("ScoreMin"), rating.get("ScoreMax")
    if value is None or value != value:  # noqa: PLR0124  # NaN is not equal to itself
        return ""
    if low is not None and high is not None:
        return f"{value:g} of {low:g}\u2013{high:g}"
    if value in {0.0, 1.0} and rating.get("Label") in LABELS:
        return ""
    return f"{value:g}"


def points(value: float) -> str:
    """A change of a share in whole percentage points, with its sign."""
    shown = round(value * 100)
    sign = "+" if shown > 0 else "\u2212" if shown < 0 else "\u00b1"
    return f"{sign}{abs(shown)}"


def size(number: float) -> str:
    """Bytes in the unit that keeps it short: ``3.2 MB``."""
    amount = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if amount >= 10 or unit == "B" else f"{amount:.1f} {unit}"
