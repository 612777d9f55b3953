"""The other end of the JSON API: how commands ask the service that has the embedded engine."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from otel_feedback.errors import DatabaseError, DatabaseUnavailableError
from otel_feedback.running_service import ServiceState


def check_that_it_is_there(directory: Path) -> None:
    """Return if there is an embedded database.

    Raises:
        DatabaseUnavailableError: there is none; the text says how to get one.
    """
    if not directory.exists():
        raise DatabaseUnavailableError(
            f"There is no database at {directory}. Start `otel-feedback serve` (or `make demo`) first, run this in the "
            "directory where it was started, or set OTEL_FEEDBACK_DATA_DIR"
        )


def ask_service(service: ServiceState, path: str, content: Mapping[str, Any], *, timeout_seconds: float) -> bytes:
    """The body of the answer to a POST of this JSON.

    Raises:
        DatabaseError: the service refused it, or does not answer.
    """
    request = urllib.request.Request(  # noqa: S310  # the service's own address, http:// or https://
        f"{service.dashboard}{path}",
        data=json.dumps(content).encode(),
        headers={"Authorization": f"Bearer {service.api_token}", "Content-Type": "application/json"},
    )
    try:
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=service.trust())]
        with urllib.request.build_opener(*handlers).open(request, timeout=timeout_seconds) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        raise _refusal(error) from None
    except OSError as error:
        raise DatabaseUnavailableError(
            f"The service (pid {service.pid}) does not answer at {service.dashboard}: {error}. See its log"
        ) from None


def _refusal(error: urllib.error.HTTPError) -> DatabaseError:
    try:
        told = json.loads(error.read())["error"]
        code, message = str(told["code"]), str(told["message"])
    except (ValueError, KeyError, TypeError):
        return DatabaseError(f"The service answered with HTTP status {error.code}")
    return DatabaseError(message, code=int(code) if code.isdigit() else 0)
