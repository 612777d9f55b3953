"""The attributes of a span that the SDK has just started or ended, in the dict in which it holds them.

OpenTelemetry's own ``set_attributes`` takes twice as long as all else that a session does to a span. It is used where
the SDK has no such dict, or would change or drop what is added (docs/adr/0031).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

_PLAIN_TYPES: Final = frozenset({str, bool, int, float})


def are_plain(attributes: Mapping[str, Any]) -> bool:
    """Whether the SDK takes these attributes exactly as they are, unless it limits their length."""
    return "" not in attributes and all(type(value) in _PLAIN_TYPES for value in attributes.values())


def held_attributes(span: Any) -> Mapping[str, Any]:
    """The attributes of a span, to be read at once."""
    try:
        held: dict[str, Any] = span._attributes._dict  # noqa: SLF001  # tests run it with the SDKs that we support
    except AttributeError:
        return span.attributes or {}
    return held


def add_missing(span: Any, held: Mapping[str, Any], added: Mapping[str, Any], *, plain: bool) -> None:
    """Add to a span, of which nobody else knows yet, the attributes that it has not.

    Args:
        span: the span.
        held: its ``held_attributes``.
        added: what to add.
        plain: whether these ``are_plain``.
    """
    bounded = getattr(span, "_attributes", None)
    if plain and held is getattr(bounded, "_dict", None):
        most = getattr(bounded, "maxlen", 0)
        if getattr(bounded, "max_value_len", 0) is None and (most is None or len(held) + len(added) <= most):
            held = cast("dict[str, Any]", held)
            if held.keys().isdisjoint(added):
                held.update(added)
            else:
                for key in added.keys() - held.keys():
                    held[key] = added[key]
            return
    missing = {key: value for key, value in added.items() if key not in held}
    if missing:
        span.set_attributes(missing)
