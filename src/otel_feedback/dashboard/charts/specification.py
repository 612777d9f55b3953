"""The charts' Vega-Lite specifications: what is in ``specs/``, with data, a size and a colour scheme."""

from __future__ import annotations

import copy
import functools
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, Literal

from otel_feedback.dashboard.filters import FilterError

Scheme = Literal["light", "dark"]
Width = Literal["wide", "phone"]
SCHEMES: Final = ("light", "dark")
WIDTHS: Final = ("wide", "phone")
_PIXELS: Final = {"wide": 480, "phone": 326}
_PARTS_PIXELS: Final = {"wide": (336, 108), "phone": (200, 84)}
"""Of the two parts of a chart by group: with what is between and around them they are as wide as the others."""
_ROOT: Final = files("otel_feedback.dashboard.charts").joinpath("specs")


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart is drawn: for a light or a dark page, as wide as a desk's or a phone's."""

    scheme: str
    width: str

    @classmethod
    def parse(cls, scheme: str, width: str) -> Look:
        """The look that a link names; empty texts are light and wide.

        Raises:
            FilterError: there is no such look.
        """
        for name, value, known in (("scheme", scheme, SCHEMES), ("width", width, WIDTHS)):
            if value and value not in known:
                raise FilterError(f"{name}={value[:40]!r} is not one of {', '.join(known)}")
        return cls(scheme or SCHEMES[0], width or WIDTHS[0])


def specification(name: str, data: list[dict[str, Any]], look: Look, *, by_hour: bool = False) -> dict[str, Any]:
    """The specification ``specs/{name}.vl.json`` with these rows, to be drawn as it is; bars are days, or hours."""
    spec = copy.deepcopy(_load(f"{name}.vl.json"))
    spec["data"] = {"values": data}
    spec["config"] = _load(f"{look.scheme}.config.json")
    if "hconcat" in spec:
        for part, width in zip(spec["hconcat"], _PARTS_PIXELS[look.width], strict=True):
            part["width"] = width
        return spec
    spec["width"] = _PIXELS[look.width]
    if by_hour:
        spec["encoding"]["x"]["timeUnit"]["unit"] = "utcyearmonthdatehours"
        spec["encoding"]["x"]["axis"]["format"] = "%H:%M"
    return spec


@functools.cache
def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_ROOT.joinpath(name).read_text(encoding="utf-8"))
    return loaded
