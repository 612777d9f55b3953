"""How the local model server refuses a request: in OpenAI's words."""

from __future__ import annotations

import json
from typing import Any


class RefusedRequestError(Exception):
    """An answer of OpenAI's shape: ``{"error": {"message", "type", "param", "code"}}`` with its HTTP status."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.content = {"error": {"message": message, "type": kind, "param": param, "code": code}}


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is.

    Raises:
        RefusedRequestError: 400, it is none.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise RefusedRequestError(400, "We could not parse the JSON body of your request: it must be an object.")
    return content


def missing(param: str) -> RefusedRequestError:
    """The refusal of a request that lacks this parameter."""
    return RefusedRequestError(
        400, f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
    )


def invalid(param: str, why: str) -> RefusedRequestError:
    """The refusal of a request in which this parameter is wrong."""
    return RefusedRequestError(400, f"Invalid value for '{param}': {why}.", param=param, code="invalid_value")
