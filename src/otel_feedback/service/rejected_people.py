"""A person in ``rejected/``: requests that ClickHouse refused lie there as they came, with whoever is in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from otel_feedback import semconv
from otel_feedback.clickhouse.segments import Signal
from otel_feedback.service.durable_queue import files
from otel_feedback.service.durable_queue.segment import Record, encode_record, scan
from otel_feedback.service.otlp_request import REQUEST_CLASSES, Findings, remove_records, scopes_of
from otel_feedback.service.rejected import RejectedFile, drop, rejected_files


@dataclass(frozen=True, slots=True)
class Found:
    """What ``rejected/`` holds of a person.

    Attributes:
        records: spans, log records and ratings on spans that were taken out, or would be.
        unreadable: files with damage in which the person's ids are to be seen; a person must look at them.
    """

    records: int
    unreadable: list[str]


@dataclass(frozen=True, slots=True)
class _Person:
    users: frozenset[str]
    ids: frozenset[str]
    """Traces, in hex, and sessions."""

    def is_named(self, attributes: Any) -> bool:
        return any(_values(attributes, semconv.USER_KEYS, self.users))

    def owns(self, record: Any) -> bool:
        has_session = any(_values(record.attributes, semconv.SESSION_KEYS, self.ids))
        return record.trace_id.hex() in self.ids or has_session or self.is_named(record.attributes)

    def gave(self, event: Any) -> bool:
        is_of_theirs = any(_values(event.attributes, semconv.SESSION_KEYS, self.ids))
        return event.name == semconv.EVALUATION_EVENT and (is_of_theirs or self.is_named(event.attributes))

    def is_in(self, data: bytes) -> bool:
        hexadecimal = (each for each in self.ids if len(each) == 32 and set(each) <= set("0123456789abcdef"))
        traces = (bytes.fromhex(each) for each in hexadecimal)
        return any(each in data for each in (*(user.encode() for user in self.users), *traces))


def traces_and_sessions(data_dir: Path) -> set[str]:
    """The ids of every trace (in hex) and session in ``rejected/``, to ask the database whose they are."""
    found: set[str] = set()
    for file in rejected_files(data_dir):
        for record in _records(file):
            found.add(record.trace_id.hex())
            found.update(_values(record.attributes, semconv.SESSION_KEYS))
    return found - {""}


def remove_person(data_dir: Path, users: Iterable[str], ids: Iterable[str], *, dry_run: bool) -> Found:
    """Take a person's records out of the refused requests; others' stay, to be put back. ``dry_run`` only counts.

    ``ids`` are their traces and sessions. Each file is replaced in one step; a kill leaves none half done.

    Raises:
        OSError: the disk refused; running it again completes it.
    """
    rejected = rejected_files(data_dir)
    named = _Person(frozenset(users), frozenset())
    traces = {
        record.trace_id.hex()
        for file in rejected
        if file.signal == "traces"
        for record in _records(file)
        if named.is_named(record.attributes) and not record.name.startswith(semconv.CARRIER_SPAN_PREFIX)
    }
    person = _Person(named.users, frozenset(ids) | traces - {""})
    removed = 0
    unreadable = []
    for file in rejected:
        kept, count, is_readable = _without(file.signal, file.path.read_bytes(), person)
        removed += count
        if not is_readable:
            unreadable.append(f"{file.signal}/{file.name}")
        if count and not dry_run:
            _replace(file, kept)
    return Found(removed, unreadable)


def _replace(file: RejectedFile, content: bytes) -> None:
    if not content:
        drop(file)
        return
    # The reason quotes what ClickHouse could not take, which may be theirs.
    reason = f"ClickHouse refused it with code {file.code}; the rest was removed when a person in it was erased\n"
    files.write_durably(file.path.with_name(f"{file.name}{files.REASON_SUFFIX}"), reason.encode())
    files.write_durably(file.path, content)


def _without(signal: Signal, data: bytes, person: _Person) -> tuple[bytes, int, bool]:
    """The segment without the person, how much of theirs was in it, and whether all that shows them could be read."""
    kept = bytearray()
    removed = 0
    is_readable = True
    for found in scan(data):
        stretch = data[found.start : found.end]
        request = _parsed(signal, found.body) if isinstance(found, Record) else None
        if request is None or not isinstance(found, Record):
            is_readable = is_readable and not person.is_in(stretch)
            kept += stretch
            continue
        findings = Findings()
        remove_records(
            signal, request, lambda _group, _scope, record: "theirs" if person.owns(record) else "", findings
        )
        count = findings.rejected + _remove_ratings(signal, request, person)
        removed += count
        if not count:
            kept += stretch
        elif any(True for _ in _records_of(signal, request)):
            kept += encode_record(request.SerializeToString(), found.arrival_unix_nano)
    return bytes(kept), removed, is_readable


def _remove_ratings(signal: Signal, request: Any, person: _Person) -> int:
    removed = 0
    for span in _records_of(signal, request) if signal == "traces" else ():
        events = [each for each in span.events if not person.gave(each)]
        if len(events) < len(span.events):
            removed += len(span.events) - len(events)
            del span.events[:]
            span.events.extend(events)
    return removed


def _records(file: RejectedFile) -> Iterator[Any]:
    for found in scan(file.path.read_bytes()):
        request = _parsed(file.signal, found.body) if isinstance(found, Record) else None
        if request is not None:
            yield from _records_of(file.signal, request)


def _records_of(signal: Signal, request: Any) -> Iterator[Any]:
    for _, _, _, scope in scopes_of(signal, request):
        yield from scope.spans if signal == "traces" else scope.log_records


def _parsed(signal: Signal, body: bytes) -> Any | None:
    try:
        return REQUEST_CLASSES[signal].FromString(body)
    except DecodeError:
        return None


def _values(attributes: Any, keys: tuple[str, ...], wanted: frozenset[str] | None = None) -> Iterator[str]:
    """The values of these attributes as text, or those of them that are wanted."""
    for each in attributes:
        if each.key in keys:
            value = each.value.string_value or (str(each.value.int_value) if each.value.HasField("int_value") else "")
            if value and (wanted is None or value in wanted):
                yield value
