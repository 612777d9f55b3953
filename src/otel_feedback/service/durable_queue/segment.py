r"""The record format of a segment file.

    record  = length (varint) body trailer
    trailer = field 15000 (fixed64: arrival, Unix nanoseconds) field 15001 (fixed32: checksum)

``body`` is a serialised OTLP request. To a protobuf reader the trailer is two unknown fields at the request's end, so
a segment as it stands is a file of length-delimited OTLP requests, which is what ClickHouse reads. The checksum is
the CRC-32 of the body's digest and the arrival: whoever appends has that digest already.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from otel_feedback.service.durable_queue.digest import digest_of

_ARRIVAL_TAG: Final = b"\xc1\xa9\x07"  # varint of 15000 << 3 | 1
_CHECKSUM_TAG: Final = b"\xcd\xa9\x07"  # varint of 15001 << 3 | 5
_ARRIVAL: Final = struct.Struct("<Q")
_CHECKSUM: Final = struct.Struct("<I")
_CHECKSUM_BYTES: Final = len(_CHECKSUM_TAG) + _CHECKSUM.size
TRAILER_BYTES: Final = len(_ARRIVAL_TAG) + _ARRIVAL.size + _CHECKSUM_BYTES
_TRAILER: Final = re.compile(re.escape(_ARRIVAL_TAG) + b".{8}" + re.escape(_CHECKSUM_TAG) + b".{4}", re.DOTALL)
_MAX_LENGTH_BYTES: Final = 5


@dataclass(frozen=True, slots=True)
class Record:
    """A sound record: its place in the file, and what it holds."""

    start: int
    end: int
    body: bytes
    arrival_unix_nano: int


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes [start, end) that are no sound record. ``is_torn``: the file ends before the record would."""

    start: int
    end: int
    reason: str
    is_torn: bool


def encode_record(body: bytes, arrival_unix_nano: int) -> bytes:
    """The record's bytes, ready to append."""
    return b"".join(parts_of_record(body, digest_of(body), arrival_unix_nano))


def parts_of_record(body: bytes, digest: bytes, arrival_unix_nano: int) -> tuple[bytes, bytes, bytes]:
    """The record's bytes in three parts, the body as it came, for whoever has its digest and writes without a copy."""
    return _varint(len(body) + TRAILER_BYTES), body, _trailer(digest, _ARRIVAL.pack(arrival_unix_nano))


def _trailer(digest: bytes, arrival: bytes) -> bytes:
    checksum = _CHECKSUM.pack(zlib.crc32(arrival, zlib.crc32(digest)))
    return b"".join((_ARRIVAL_TAG, arrival, _CHECKSUM_TAG, checksum))


def scan(data: bytes) -> Iterator[Record | Damage]:
    """Every record of a segment, and every damaged stretch between them, in order and without gaps.

    After damage the next record is looked for where a trailer ends, then where the damaged one's length says. Where
    nothing sound follows, the rest of the file is one damaged stretch.
    """
    position = 0
    while position < len(data):
        found = _read(data, position)
        if isinstance(found, Damage) and not found.is_torn:
            found = Damage(position, _next_sound(data, found), found.reason, is_torn=False)
        yield found
        position = found.end


def _next_sound(data: bytes, damage: Damage) -> int:
    trailer = _TRAILER.search(data, damage.start)
    for end in (trailer.end() if trailer else len(data), damage.end):
        if end < len(data) and isinstance(_read(data, end), Record):
            return end
    return len(data)


def unchecked_bodies(data: bytes) -> Iterator[memoryview]:
    """The bodies of all records but those of damaged length; quick, since no checksum is looked at."""
    view = memoryview(data)
    position = 0
    while position < len(data):
        length, body_start = _read_varint(data, position)
        end = body_start + (length or 0)
        if length is None or length < TRAILER_BYTES or not _TRAILER.fullmatch(data, end - TRAILER_BYTES, end):
            yield from (memoryview(each.body) for each in scan(data[position:]) if isinstance(each, Record))
            return
        position = end
        yield view[body_start : position - TRAILER_BYTES]


def _read(data: bytes, start: int) -> Record | Damage:
    length, body_start = _read_varint(data, start)
    if length is None:
        is_torn = len(data) - start < _MAX_LENGTH_BYTES
        return Damage(start, len(data), f"the record at byte {start} has no length", is_torn)
    end = body_start + length
    if end > len(data):
        # A record that was written in part has no trailer; where there is one, the length is what is wrong.
        is_torn = _TRAILER.search(data, start) is None
        return Damage(start, len(data), f"the record at byte {start} ends after the file's end", is_torn)
    arrival_start = end - TRAILER_BYTES
    if arrival_start < body_start:
        return Damage(start, end, f"the record at byte {start} is shorter than its trailer", is_torn=False)
    body = data[body_start:arrival_start]
    arrival = data[arrival_start + len(_ARRIVAL_TAG) : end - _CHECKSUM_BYTES]
    if data[arrival_start:end] != _trailer(digest_of(body), arrival):
        return Damage(start, end, f"the record at byte {start} has a wrong checksum", is_torn=False)
    return Record(start, end, body, *_ARRIVAL.unpack(arrival))


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _read_varint(data: bytes, start: int) -> tuple[int | None, int]:
    number = 0
    for index, byte in enumerate(data[start : start + _MAX_LENGTH_BYTES]):
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number, start + index + 1
    return None, start
