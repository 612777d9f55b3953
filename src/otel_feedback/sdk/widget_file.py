"""The widget's file, with what caches need to know of it."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WidgetFile:
    """``feedback.js`` and its ETag."""

    content: bytes
    etag: str


@functools.cache
def widget_file() -> WidgetFile:
    """The widget as it was installed; read once."""
    content = importlib.resources.files("otel_feedback").joinpath("sdk", "widget", "feedback.js").read_bytes()
    return WidgetFile(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
