"""Read an HTTP request's body, whole and unpacked, in bounded memory and time."""

from __future__ import annotations

import asyncio
import zlib
from typing import Final

from starlette.requests import Request

from otel_feedback.errors import OtelFeedbackError
from otel_feedback.service.body_budget import Held
from otel_feedback.service.connection_limits import DEFAULT_CONNECTION_LIMITS, ConnectionLimits

_GZIP_WINDOW_BITS: Final = 31
_INLINE_BYTES: Final = 16 * 1024
_PIECE_BYTES: Final = 64 * 1024
"""What follows a member is copied; in pieces, a body of very many members can't copy itself over and over."""

_MOST_MEMBERS: Final = 10_000


class BodyTooLargeError(OtelFeedbackError):
    """The body is larger than allowed, as it came or after decompression."""


class BodyTooSlowError(OtelFeedbackError):
    """The body did not come in time."""


class UnsupportedEncodingError(OtelFeedbackError):
    """The Content-Encoding is neither gzip nor identity."""


class BrokenGzipError(OtelFeedbackError):
    """The body says that it is gzip and is not, or is cut short."""


async def read_body(
    request: Request, limit_bytes: int, held: Held, limits: ConnectionLimits = DEFAULT_CONNECTION_LIMITS
) -> bytes:
    """The body after decompression. Never holds more than twice ``limit_bytes`` and a bit; ``held`` grows with it.

    Raises:
        BodyTooLargeError: it has more than ``limit_bytes``, before or after decompression.
        BodyTooSlowError: it paused for too long, or took too long in all.
        UnsupportedEncodingError: it is packed in a way that is not known here.
        BrokenGzipError: it can't be unpacked.
        QueueBusyError: too many bodies are being read at once.
    """
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip"}:
        raise UnsupportedEncodingError(f"Content-Encoding {encoding!r} is not known here; send gzip or none")
    body = await _receive(request, limit_bytes, held, limits)
    if encoding != "gzip":
        return body
    if len(body) <= _INLINE_BYTES:
        unpacked = gunzip(body, limit_bytes)
    else:
        unpacked = await asyncio.to_thread(gunzip, body, limit_bytes)  # zlib lets other threads run meanwhile
    held.grow(len(unpacked))
    return unpacked


async def _receive(request: Request, limit_bytes: int, held: Held, limits: ConnectionLimits) -> bytes:
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > limit_bytes:
        raise _too_large(f"{announced} bytes", limit_bytes)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limits.body_seconds
    parts: list[bytes] = []
    size_bytes = 0
    try:
        async with asyncio.timeout_at(min(deadline, loop.time() + limits.body_pause_seconds)) as timeout:
            async for part in request.stream():
                size_bytes += len(part)
                if size_bytes > limit_bytes:
                    raise _too_large(f"more than {limit_bytes} bytes", limit_bytes)
                held.grow(len(part))
                parts.append(part)
                timeout.reschedule(min(deadline, loop.time() + limits.body_pause_seconds))
    except TimeoutError:
        raise BodyTooSlowError(
            f"the body did not come: only {size_bytes} bytes of it in time, with at most "
            f"{limits.body_pause_seconds:g} s between two pieces and {limits.body_seconds:g} s in all"
        ) from None
    return b"".join(parts)


def gunzip(data: bytes, limit_bytes: int) -> bytes:
    """Unpack gzip (RFC 1952, also several members in a row), stopping at the limit.

    Raises:
        BodyTooLargeError: there would be more than ``limit_bytes``.
        BrokenGzipError: the data are no gzip, or end too early.
    """
    parts: list[bytes] = []
    size_bytes = position = members = 0
    while position < len(data):
        member = zlib.decompressobj(_GZIP_WINDOW_BITS)
        members += 1
        if members > _MOST_MEMBERS:
            raise BrokenGzipError(f"the gzip body has more than {_MOST_MEMBERS} members")
        while not member.eof:
            packed = memoryview(data)[position : position + _PIECE_BYTES]
            if not packed:
                raise BrokenGzipError("the gzip body ends too early")
            try:
                part = member.decompress(packed, limit_bytes - size_bytes + 1)
            except zlib.error as error:
                raise BrokenGzipError(f"the body is not gzip: {error}") from None
            position += len(packed) - len(member.unused_data)
            size_bytes += len(part)
            if size_bytes > limit_bytes:
                raise _too_large(f"more than {limit_bytes} bytes after decompression", limit_bytes)
            parts.append(part)
    return b"".join(parts)


def _too_large(size: str, limit_bytes: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"the request has {size}; at most {limit_bytes} are taken. "
        "Send smaller batches, or raise OTEL_FEEDBACK_MAX_REQUEST_BYTES"
    )
