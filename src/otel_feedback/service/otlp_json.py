"""OTLP/JSON to OTLP/protobuf, and back.

OTLP differs from protobuf's own JSON mapping in one thing (opentelemetry-proto, "JSON Protobuf Encoding"): trace and
span ids are hex, in any case, where protobuf would read base64. So the ids are turned into base64 first and protobuf's
parser does the rest: unknown fields are ignored, 64-bit integers come as strings or numbers, enums as numbers.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from google.protobuf import json_format

from otel_feedback.service.otlp_check import REQUEST_CLASSES, MalformedRequestError, OtlpSignal

_ID_FIELDS: Final = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")


def from_json(signal: OtlpSignal, body: bytes) -> bytes:
    """The same request as protobuf.

    Raises:
        MalformedRequestError: the body is no JSON, or no such request; the text names the place.
    """
    message_class = REQUEST_CLASSES[signal]
    name = message_class.DESCRIPTOR.name
    try:
        content = json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        raise MalformedRequestError(f"the JSON of this {name} nests too deeply") from None
    except ValueError as error:
        raise MalformedRequestError(f"the body is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise MalformedRequestError(f"the body must be a JSON object, an {name}")
    for holder, place in _holders_of_ids(signal, content):
        _ids_to_base64(holder, place)
    try:
        message = json_format.ParseDict(content, message_class(), ignore_unknown_fields=True)
        return bytes(message.SerializeToString())
    except RecursionError:
        raise MalformedRequestError(f"the JSON of this {name} nests too deeply") from None
    except (json_format.ParseError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise MalformedRequestError(f"the body is not an {name} in JSON: {error}") from None


def to_json(signal: OtlpSignal, body: bytes) -> str:
    """The request as OTLP/JSON.

    Raises:
        DecodeError: the bytes are no such request.
    """
    request = REQUEST_CLASSES[signal].FromString(body)
    content = json_format.MessageToDict(request, use_integers_for_enums=True)
    for holder, _ in _holders_of_ids(signal, content):
        for field in _ID_FIELDS:
            if field in holder:
                holder[field] = base64.b64decode(holder[field]).hex()
    return json.dumps(content, ensure_ascii=False)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f'{text} is not JSON; write it as a string, "{text}"')


def _holders_of_ids(signal: OtlpSignal, request: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    if signal == "traces":
        for span, place in _nested(request, "resourceSpans", "scopeSpans", "spans"):
            yield span, place
            for index, link in enumerate(_objects(span, "links")):
                yield link, f"{place}.links[{index}]"
    elif signal == "logs":
        yield from _nested(request, "resourceLogs", "scopeLogs", "logRecords")


def _nested(parent: dict[str, Any], *fields: str, place: str = "") -> Iterator[tuple[dict[str, Any], str]]:
    if not fields:
        yield parent, place
        return
    field, *deeper = fields
    for index, child in enumerate(_objects(parent, field)):
        here = f"{place}.{field}[{index}]".lstrip(".")
        yield from _nested(child, *deeper, place=here)


def _objects(parent: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """The objects of a repeated field; anything else is left for protobuf's parser to complain about."""
    values = parent.get(field)
    return [each if isinstance(each, dict) else {} for each in values] if isinstance(values, list) else []


def _ids_to_base64(holder: dict[str, Any], place: str) -> None:
    for field in _ID_FIELDS:
        text = holder.get(field)
        if text is None:
            continue
        try:
            holder[field] = base64.b64encode(bytes.fromhex(text)).decode()
        except (TypeError, ValueError):
            raise MalformedRequestError(f"{place}.{field} is not hex: {str(text)[:64]!r}") from None
