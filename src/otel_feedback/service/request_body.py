"""Read an HTTP request's body, whole and unpacked, in bounded memory."""

from __future__ import annotations

import asyncio
import zlib
from typing import Final

from starlette.requests import Request

from otel_feedback.errors import OtelFeedbackError

_GZIP_WINDOW_BITS: Final = 31
_INLINE_BYTES: Final = 16 * 1024


class BodyTooLargeError(OtelFeedbackError):
    """The body is larger than allowed, as it came or after decompression."""


class UnsupportedEncodingError(OtelFeedbackError):
    """The Content-Encoding is neither gzip nor identity."""


class BrokenGzipError(OtelFeedbackError):
    """The body says that it is gzip and is not, or is cut short."""


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The body after decompression. Never holds more than twice ``limit_bytes`` and a bit.

    Raises:
        BodyTooLargeError: it has more than ``limit_bytes``, before or after decompression.
        UnsupportedEncodingError: it is packed in a way that is not known here.
        BrokenGzipError: it can't be unpacked.
    """
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip"}:
        raise UnsupportedEncodingError(f"Content-Encoding {encoding!r} is not known here; send gzip or none")
    body = await _receive(request, limit_bytes)
    if encoding != "gzip":
        return body
    if len(body) <= _INLINE_BYTES:
        return gunzip(body, limit_bytes)
    return await asyncio.to_thread(gunzip, body, limit_bytes)  # zlib lets other threads run meanwhile


async def _receive(request: Request, limit_bytes: int) -> bytes:
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > limit_bytes:
        raise _too_large(f"{announced} bytes", limit_bytes)
    parts: list[bytes] = []
    size_bytes = 0
    async for part in request.stream():
        size_bytes += len(part)
        if size_bytes > limit_bytes:
            raise _too_large(f"more than {limit_bytes} bytes", limit_bytes)
        parts.append(part)
    return b"".join(parts)


def gunzip(data: bytes, limit_bytes: int) -> bytes:
    """Unpack gzip (RFC 1952, also several members in a row), stopping at the limit.

    Raises:
        BodyTooLargeError: there would be more than ``limit_bytes``.
        BrokenGzipError: the data are no gzip, or end too early.
    """
    parts: list[bytes] = []
    size_bytes = 0
    while data:
        member = zlib.decompressobj(_GZIP_WINDOW_BITS)
        try:
            part = member.decompress(data, limit_bytes - size_bytes + 1)
        except zlib.error as error:
            raise BrokenGzipError(f"the body is not gzip: {error}") from None
        size_bytes += len(part)
        if size_bytes > limit_bytes:
            raise _too_large(f"more than {limit_bytes} bytes after decompression", limit_bytes)
        if not member.eof:
            raise BrokenGzipError("the gzip body ends too early")
        parts.append(part)
        data = member.unused_data
    return b"".join(parts)


def _too_large(size: str, limit_bytes: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"the request has {size}; at most {limit_bytes} are taken. "
        "Send smaller batches, or raise OTEL_FEEDBACK_MAX_REQUEST_BYTES"
    )
