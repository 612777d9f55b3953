"""``instrument()``: sessions on spans, and the feedback endpoint in apps of any web framework, without code."""

from __future__ import annotations

from typing import Any, Final

from otel_feedback.redaction import Redactor
from otel_feedback.sdk.configuration import redact_with
from otel_feedback.sdk.frameworks import ANSWERS, FRAMEWORKS, SERVERS, forget_middlewares
from otel_feedback.sdk.patches import Patches
from otel_feedback.sdk.span_processor import fit_span_processor

_patches: Final = Patches()


def instrument(app: Any = None, *, redact: Redactor | None = None) -> None:
    """Switch everything on; calling it again changes nothing.

    The tracer provider gets the session's span processor (a provider that is set later gets it at the first session
    or request), and every FastAPI, Starlette, Flask, Django and aiohttp app answers ``/v1/feedback`` and
    ``/feedback.js`` and sends rating tokens, whether it was built before or after (an aiohttp app: if it does not run
    yet). So does any other WSGI or ASGI app that uvicorn, gunicorn, Werkzeug or wsgiref begin to serve afterwards. No
    framework is imported for it. While a ``FeedbackMiddleware`` that the app made itself is there, none is added.

    ``app`` is needed for no app; naming one makes sure that it is of a kind that is covered. ``redact`` gets each
    comment, correction and reason before it is sent, and returns what may be stored of it (OTEL_FEEDBACK_REDACT names
    such a function without code). A text for which it raises is left out of its rating.

    Raises:
        TypeError: ``redact`` is no function.
        TypeError: ``app`` is of none of these frameworks: wrap it in ``otel_feedback.sdk.asgi.FeedbackMiddleware`` or
            ``otel_feedback.sdk.wsgi.FeedbackMiddleware``.
    """
    if redact is not None:
        redact_with(redact)
    fit_span_processor()
    for patch in (*FRAMEWORKS, *ANSWERS, *SERVERS):
        _patches.put(patch)
    covered = tuple(patched for patched in map(_patches.class_of, FRAMEWORKS) if patched is not None)
    if app is not None and not isinstance(app, covered):
        raise TypeError(
            f"app is a {type(app).__name__}, which is of no web framework that is known here: wrap it in "
            "otel_feedback.sdk.asgi.FeedbackMiddleware(app) or otel_feedback.sdk.wsgi.FeedbackMiddleware(app)"
        )


def uninstrument() -> None:
    """Give frameworks and servers back as they were. The span processor stays: a tracer provider can't lose one."""
    for patch in (*FRAMEWORKS, *ANSWERS, *SERVERS):
        _patches.take_back(patch)
    forget_middlewares()
