"""``POST /v1/embeddings``: vectors that are alike where texts have words in common."""

from __future__ import annotations

import base64
import math
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from otel_feedback.demo.completion import count_tokens
from otel_feedback.demo.refusal import invalid, missing, parse_object

EMBEDDING_MODEL: Final = "shop-embedding"
MOST_DIMENSIONS: Final = 256
DIMENSIONS: Final = 32
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """What was asked for: a vector for each text, as numbers or as base64 of little-endian 32-bit floats."""

    model: str
    texts: list[str]
    dimensions: int
    as_base64: bool

    def answer(self) -> dict[str, Any]:
        """The ``list`` object of ``embedding`` objects."""
        vectors = (_vector(text, self.dimensions) for text in self.texts)
        data = [
            {"object": "embedding", "index": index, "embedding": _base64(vector) if self.as_base64 else vector}
            for index, vector in enumerate(vectors)
        ]
        tokens = sum(count_tokens(text) for text in self.texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "data": data, "model": self.model, "usage": usage}


def parse_embedding_request(body: bytes) -> EmbeddingRequest:
    """The request in a body; that the model is one for embeddings is left to the caller.

    Raises:
        RefusedRequestError: 400, with the parameter that is wrong.
    """
    content = parse_object(body)
    model = content.get("model")
    if not isinstance(model, str) or not model:
        raise missing("model")
    encoding = content.get("encoding_format", "float")
    if encoding not in {"float", "base64"}:
        raise invalid("encoding_format", "expected float or base64")
    return EmbeddingRequest(model, _texts(content), _dimensions(content), as_base64=encoding == "base64")


def _texts(content: Mapping[str, Any]) -> list[str]:
    if "input" not in content:
        raise missing("input")
    texts = content["input"]
    if isinstance(texts, str):
        texts = [texts]
    if not isinstance(texts, list) or not texts or not all(isinstance(each, str) and each for each in texts):
        raise invalid("input", "expected a text, or an array with at least one, none of them empty")
    return texts


def _dimensions(content: Mapping[str, Any]) -> int:
    value = content.get("dimensions")
    if value is None:
        return DIMENSIONS
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_DIMENSIONS:
        raise invalid("dimensions", f"expected an integer from 1 to {MOST_DIMENSIONS}")
    return value


def _vector(text: str, dimensions: int) -> list[float]:
    """Of length 1: each word has its place, which its checksum tells. A text without words points to the first."""
    vector = [0.0] * dimensions
    for word in _WORD.findall(text.lower()) or [""]:
        vector[zlib.crc32(word.encode(errors="replace")) % dimensions] += 1.0
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector]


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
