"""What stands in a conversation for an image, a sound or a file: its type and its size, never the thing itself.

Whatever strangers sent is not handed to the browser's decoders, and nothing is loaded from the address that they
named: see docs/adr/0021. Shapes: the GenAI conventions' ``blob``, ``uri`` and ``file`` parts, and those of OpenAI and
Anthropic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_DATA_URL: Final = re.compile(r"data:([^;,]{0,100})(?:;[^,;]{0,100})*,", re.IGNORECASE)
_KINDS: Final = frozenset({"blob", "uri", "file", "image", "image_url", "input_image", "input_audio", "audio", "video"})
_KNOWN_MODALITIES: Final = frozenset({"image", "audio", "video"})


def describe(part: Mapping[str, Any]) -> tuple[str, str] | None:
    """What kind of thing the part is and what is told of it: ``("image", "image/png, 34 kB")``; None for text."""
    kind = str(part.get("type", ""))
    if kind not in _KINDS:
        return None
    address, encoded, mime_type = _content(part)
    if match := _DATA_URL.match(address):
        mime_type, encoded, address = mime_type or match[1], address[match.end() :], ""
    modality = str(part.get("modality") or mime_type.partition("/")[0] or kind.removeprefix("input_").partition("_")[0])
    told = [mime_type or "type unknown"]
    if encoded:
        told.append(size_in_words(_decoded_bytes(encoded)))
    if address:
        told.append(f"at {address}, not loaded")
    return (modality if modality in _KNOWN_MODALITIES else "file"), ", ".join(told)


def size_in_words(size_bytes: int) -> str:
    """``34 kB`` or ``1.2 MB``; below one kilobyte in bytes."""
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    return f"{size_bytes / 1000:.0f} kB" if size_bytes < 1_000_000 else f"{size_bytes / 1_000_000:.1f} MB"


def _content(part: Mapping[str, Any]) -> tuple[str, str, str]:
    """The address, the base64, and the MIME type, each "" where there is none."""
    source = part.get("source")
    inner: Mapping[str, Any] = source if isinstance(source, dict) else part
    image = part.get("image_url")
    address = image.get("url") if isinstance(image, dict) else image
    address = address or inner.get("uri") or inner.get("url") or inner.get("file_id") or ""
    encoded = inner.get("content") or inner.get("data") or ""
    mime_type = inner.get("mime_type") or inner.get("media_type") or ""
    return str(address), str(encoded), str(mime_type)


def _decoded_bytes(encoded: str) -> int:
    return max(0, len(encoded) * 3 // 4 - encoded[-2:].count("="))
