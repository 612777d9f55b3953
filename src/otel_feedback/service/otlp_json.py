"""OTLP/JSON to OTLP/protobuf, and back.

OTLP differs from protobuf's own JSON mapping in one thing (opentelemetry-proto, "JSON Protobuf Encoding"): trace and
span ids are hex, in any case, where protobuf would read base64. So the ids are turned into base64 first and protobuf's
parser does the rest: unknown fields are ignored, 64-bit integers come as strings or numbers, enums as numbers. Names of
enum values and fields in snake_case, which senders must not use, are read too, as the Collector reads them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

from google.protobuf import json_format

from otel_feedback.service.otlp_request import LEVELS, REQUEST_CLASSES, Findings, MalformedRequestError, OtlpSignal

_JSON_LEVELS: Final[dict[OtlpSignal, tuple[str, str, str]]] = {
    "traces": ("resourceSpans", "scopeSpans", "spans"),
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
}
_MOST_LEVELS: Final = 100
"""json_format's own limit; a record stands three levels below its request."""

_ID_FIELDS: Final = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")
_UNPARSEABLE: Final = (json_format.ParseError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)


class _FlawError(Exception):
    """A record can't be taken; the text says why."""


def from_json(signal: OtlpSignal, body: bytes, findings: Findings) -> bytes:
    """The same request as protobuf; what had to be changed is told in ``findings``.

    A record of which an id is not hex, or of which a value is not what its field holds, is left out. Half of a
    surrogate pair and bytes that are not UTF-8 become U+FFFD. A log record with an id that is not hex belongs to no
    trace, as opentelemetry-proto has it.

    Raises:
        MalformedRequestError: the body is no JSON, or no such request; the text names the place.
    """
    name = REQUEST_CLASSES[signal].DESCRIPTOR.name
    content = _load(body, name, findings)
    _remove_records(signal, content, lambda record, place: _ids_to_base64(signal, record, place), findings)
    try:
        return _parse(signal, content)
    except _UNPARSEABLE:
        _large_integers_to_doubles(content)
        _repair_texts(content, findings)
    try:
        return _parse(signal, content)
    except _UNPARSEABLE as error:
        kept = _remove_records(signal, content, _parses_alone(signal), findings)
        if not kept:
            raise MalformedRequestError(f"the body is not an {name} in JSON: {_told(error)}") from None
    try:
        return _parse(signal, content)
    except _UNPARSEABLE as error:
        raise MalformedRequestError(f"the body is not an {name} in JSON: {_told(error)}") from None


def _load(body: bytes, name: str, findings: Findings) -> dict[str, Any]:
    try:
        try:
            content = json.loads(body, parse_constant=_refuse_constant)
        except UnicodeDecodeError:
            content = json.loads(body.decode("utf-8", "surrogateescape"), parse_constant=_refuse_constant)
            _repair_texts(content, findings)
    except RecursionError:
        raise MalformedRequestError(f"the JSON of this {name} nests too deeply") from None
    except ValueError as error:
        raise MalformedRequestError(f"the body is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise MalformedRequestError(f"the body must be a JSON object, an {name}")
    return content


def to_json(signal: OtlpSignal, body: bytes) -> str:
    """The request as OTLP/JSON.

    Raises:
        DecodeError: the bytes are no such request.
    """
    request = REQUEST_CLASSES[signal].FromString(body)
    content = json_format.MessageToDict(request, use_integers_for_enums=True)
    for scope, place in _scopes(signal, content):
        for record in _objects(scope, _JSON_LEVELS[signal][2]):
            for holder, _ in _holders_of_ids(record, place):
                for field in _ID_FIELDS:
                    if field in holder:
                        holder[field] = base64.b64decode(holder[field]).hex()
    return json.dumps(content, ensure_ascii=False)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f'{text} is not JSON; write it as a string, "{text}"')


def _parse(signal: OtlpSignal, content: dict[str, Any]) -> bytes:
    message = json_format.ParseDict(content, REQUEST_CLASSES[signal](), ignore_unknown_fields=True)
    return bytes(message.SerializeToString())


def _told(error: BaseException) -> str:
    return "it nests too deeply" if isinstance(error, RecursionError) else str(error)


def _parses_alone(signal: OtlpSignal) -> Callable[[Any, str], None]:
    groups, scopes, records = LEVELS[signal]
    scope = getattr(getattr(REQUEST_CLASSES[signal](), groups).add(), scopes).add()

    def check(record: Any, _place: str) -> None:
        try:
            alone = getattr(scope, records).add()
            json_format.ParseDict(record, alone, ignore_unknown_fields=True, max_recursion_depth=_MOST_LEVELS - 3)
        except _UNPARSEABLE as error:
            raise _FlawError(_told(error)) from None
        finally:
            scope.Clear()

    return check


def _remove_records(
    signal: OtlpSignal, request: dict[str, Any], check: Callable[[Any, str], None], findings: Findings
) -> int:
    """Take out, in place, the records for which ``check(record, place)`` raises _FlawError; how many are left."""
    rejected = 0
    kept_in_all = 0
    first = ""
    field = _JSON_LEVELS[signal][2]
    for scope, scope_place in _scopes(signal, request):
        records = scope.get(field)
        if not isinstance(records, list):
            continue  # protobuf's parser will complain
        kept = []
        for index, record in enumerate(records):
            place = f"{scope_place}.{field}[{index}]"
            try:
                check(record, place)
                kept.append(record)
            except _FlawError as flaw:
                rejected += 1
                first = first or f"{place}: {flaw}"
        scope[field] = kept
        kept_in_all += len(kept)
    if rejected:
        findings.refuse(signal, rejected, first)
    return kept_in_all


def _scopes(signal: OtlpSignal, request: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    groups, scopes, _ = _JSON_LEVELS[signal]
    for group_index, group in enumerate(_objects(request, groups)):
        for scope_index, scope in enumerate(_objects(group, scopes)):
            yield scope, f"{groups}[{group_index}].{scopes}[{scope_index}]"


def _objects(parent: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """The objects of a repeated field; anything else is left for protobuf's parser to complain about."""
    values = parent.get(field)
    return [each if isinstance(each, dict) else {} for each in values] if isinstance(values, list) else []


def _holders_of_ids(record: dict[str, Any], place: str) -> list[tuple[dict[str, Any], str]]:
    links = [(link, f"{place}.links[{index}]") for index, link in enumerate(_objects(record, "links"))]
    return [(record, place), *links]


def _ids_to_base64(signal: OtlpSignal, record: Any, place: str) -> None:
    if not isinstance(record, dict):
        return  # protobuf's parser will complain
    for holder, where in _holders_of_ids(record, place):
        for field in _ID_FIELDS:
            text = holder.get(field)
            if text is None:
                continue
            try:
                holder[field] = base64.b64encode(bytes.fromhex(text)).decode()
            except (TypeError, ValueError):
                if signal == "traces":
                    raise _FlawError(f"{where}.{field} is not hex: {str(text)[:64]!r}") from None
                holder[field] = ""


def _large_integers_to_doubles(content: Any) -> None:
    """OpenTelemetry's JavaScript exporter writes every whole number as an intValue, those beyond 64 bits too."""
    for holder in _containers(content):
        number = holder.get("intValue") if isinstance(holder, dict) else None
        if isinstance(number, int | float) and not -(2**63) <= number < 2**63:
            holder["doubleValue"] = float(number)
            del holder["intValue"]


def _repair_texts(content: Any, findings: Findings) -> None:
    """Replace, in place, what no Unicode text can hold: halves of surrogate pairs, and bytes that were not UTF-8."""
    repaired = 0

    def mended(value: Any) -> Any:
        nonlocal repaired
        if not isinstance(value, str) or value.isascii():
            return value
        text = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        repaired += text != value
        return text

    for holder in _containers(content):
        if isinstance(holder, dict):
            for key in list(holder):
                value = holder.pop(key)
                holder[mended(key)] = mended(value)
        else:
            holder[:] = [mended(each) for each in holder]
    if repaired:
        findings.repair(repaired, "the JSON holds bytes that are not UTF-8, or half of a surrogate pair")


def _containers(content: Any) -> Iterator[Any]:
    """Every object and array, the outer ones first."""
    stack = [content]
    while stack:
        holder = stack.pop()
        if isinstance(holder, dict | list):
            yield holder
            stack += holder.values() if isinstance(holder, dict) else holder
