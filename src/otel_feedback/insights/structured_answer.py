"""An answer that must fit a JSON schema: found in what a model wrote, and held against the schema.

Not every server keeps a model to a schema, so each answer is looked at. Of JSON Schema that is what structured output
of OpenAI's knows: type, properties, required, additionalProperties, items, enum, and bounds of numbers and lengths.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_FENCED: Final = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


class NoSuchStructureError(ValueError):
    """The text holds nothing that fits; says what is wrong with it."""


def read_structure(text: str, schema: Mapping[str, Any]) -> Any:
    """The value in this text: all of it, or what is between fences, or from its first brace on.

    Raises:
        NoSuchStructureError: there is none, or it does not fit.
    """
    for piece in _pieces(text):
        try:
            value, _ = json.JSONDecoder().raw_decode(piece)
        except (ValueError, RecursionError):
            continue
        wrong = next(_faults(value, schema, "answer"), "")
        if wrong:
            raise NoSuchStructureError(wrong)
        return value
    raise NoSuchStructureError("it holds no JSON")


def _pieces(text: str) -> Iterator[str]:
    yield text.strip()
    yield from (found.strip() for found in _FENCED.findall(text))
    start = text.find("{")
    if start >= 0:
        yield text[start:]


def _faults(value: Any, schema: Mapping[str, Any], place: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place} must be one of {schema['enum']}"
    told = schema.get("type")
    names = [told] if isinstance(told, str) else list(told or ())
    if names and not any(_is(value, name) for name in names):
        yield f"{place} must be of type {' or '.join(names)}"
    elif isinstance(value, dict):
        yield from _faults_of_object(value, schema, place)
    elif isinstance(value, list):
        yield from _faults_of_size(len(value), schema, ("minItems", "maxItems"), place)
        for number, item in enumerate(value):
            yield from _faults(item, schema.get("items", {}), f"{place}[{number}]")
    elif isinstance(value, str):
        yield from _faults_of_size(len(value), schema, ("minLength", "maxLength"), place)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _faults_of_size(value, schema, ("minimum", "maximum"), place)


def _faults_of_object(value: dict[str, Any], schema: Mapping[str, Any], place: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    yield from (f"{place} lacks {name!r}" for name in schema.get("required", ()) if name not in value)
    for name, item in value.items():
        if name in properties:
            yield from _faults(item, properties[name], f"{place}.{name}")
        elif schema.get("additionalProperties") is False:
            yield f"{place} has {name!r}, which was not asked for"


def _faults_of_size(size: float, schema: Mapping[str, Any], bounds: tuple[str, str], place: str) -> Iterator[str]:
    least, most = (schema.get(name) for name in bounds)
    if not math.isfinite(size) or (least is not None and size < least) or (most is not None and size > most):
        yield f"{place} must keep to {bounds[0]} {least} and {bounds[1]} {most}"


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES.get(name, (object,)))
