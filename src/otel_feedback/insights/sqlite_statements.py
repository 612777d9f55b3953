"""SQLite's statements lie in files under ``sqlite/``. This reads them."""

from __future__ import annotations

import functools
from importlib.resources import files


@functools.cache
def load(name: str) -> str:
    """The text of ``sqlite/{name}.sql``."""
    return files("otel_feedback.insights").joinpath("sqlite", f"{name}.sql").read_text(encoding="utf-8")
