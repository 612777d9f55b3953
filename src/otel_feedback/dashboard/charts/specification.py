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
_PLOT_PIXELS: Final = {"wide": 610, "phone": 270}
_SPLIT_PIXELS: Final = {"wide": (350, 90), "phone": (120, 50)}
_LABEL_PIXELS: Final = {"wide": 160, "phone": 96}
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


def specification(
    name: str, data: list[dict[str, Any]], look: Look, time_format: str = "", time_unit: str = ""
) -> dict[str, Any]:
    """The specification ``specs/{name}.vl.json`` with these rows, to be drawn as it is.

    ``time_format`` and ``time_unit`` replace those of its axis of time, for bars of an hour.
    """
    spec = copy.deepcopy(_load(f"{name}.vl.json"))
    spec["data"] = {"values": data}
    spec["config"] = _load(f"{look.scheme}.config.json")
    if "hconcat" in spec:
        for part, width in zip(spec["hconcat"], _SPLIT_PIXELS[look.width], strict=True):
            part["width"] = width
        spec["hconcat"][0]["encoding"]["y"]["axis"]["labelLimit"] = _LABEL_PIXELS[look.width]
    else:
        spec["width"] = _PLOT_PIXELS[look.width]
        time_axis = spec["encoding"]["x"]
        if look.width == "phone":
            time_axis["axis"]["tickCount"] = 4
        if time_format:
            time_axis["axis"]["format"] = time_format
        if time_unit:
            time_axis["timeUnit"]["unit"] = time_unit
    return spec


@functools.cache
def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_ROOT.joinpath(name).read_text(encoding="utf-8"))
    return loaded
