"""``instrument()``: sessions on spans, and the feedback endpoint in every Starlette or FastAPI app, without code."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from otel_feedback.redaction import Redactor
from otel_feedback.sdk.configuration import redact_with
from otel_feedback.sdk.quiet import report_failure
from otel_feedback.sdk.span_processor import fit_span_processor

if TYPE_CHECKING:
    from otel_feedback.sdk.asgi import AsgiScope, FeedbackMiddleware, Receive, Send

_lock: Final = threading.Lock()
_patched: list[tuple[type[Any], Callable[..., Any]]] = []
_middleware: Final[weakref.WeakKeyDictionary[Any, FeedbackMiddleware]] = weakref.WeakKeyDictionary()


def instrument(app: Any = None, *, redact: Redactor | None = None) -> None:
    """Switch everything on; calling it again changes nothing.

    The tracer provider gets the session's span processor (a provider that is set later gets it at the first session
    or request), and every Starlette or FastAPI app answers ``/v1/feedback`` and ``/feedback.js`` and sends rating
    tokens, whether it was built before or after. ``app`` is needed for no app; naming one makes sure that it is of a
    kind that is covered. Without OpenTelemetry's SDK or without Starlette that part is left out.

    ``redact`` gets each comment, correction and reason before it is sent, and returns what may be stored of it
    (OTEL_FEEDBACK_REDACT names such a function without code). A text for which it raises is left out of its rating.

    Raises:
        TypeError: ``redact`` is no function.
        TypeError: ``app`` is neither Starlette nor FastAPI: wrap it in ``otel_feedback.sdk.asgi.FeedbackMiddleware``.
    """
    if redact is not None:
        redact_with(redact)
    fit_span_processor()
    try:
        _patch_starlette()
    except Exception as error:  # noqa: BLE001  # telemetry never breaks the app
        report_failure("adding the feedback endpoint to Starlette", error)
    if app is not None and not any(isinstance(app, patched) for patched, _ in _patched):
        raise TypeError(
            f"app is a {type(app).__name__}, which is neither Starlette nor FastAPI: "
            "wrap it in otel_feedback.sdk.asgi.FeedbackMiddleware(app)"
        )


def uninstrument() -> None:
    """Give Starlette back as it was. The span processor stays, since a tracer provider can't lose one."""
    with _lock:
        while _patched:
            starlette, original = _patched.pop()
            starlette.__call__ = original
        _middleware.clear()


def _patch_starlette() -> None:
    """Put the middleware around ``Starlette.__call__``.

    Not around ``build_middleware_stack``, which FastAPI overrides and OpenTelemetry replaces on instances; and not
    with ``add_middleware``, which comes too late for an app that runs already.
    """
    if importlib.util.find_spec("starlette") is None:
        return
    named: type[Any] = importlib.import_module("starlette.applications").Starlette
    # OpenTelemetry's instrumentation puts a subclass in Starlette's place.
    starlette = next(each for each in named.__mro__ if "__call__" in vars(each))
    with _lock:
        if _patched:
            return
        original = starlette.__call__

        @functools.wraps(original)
        async def call_with_feedback(self: Any, scope: AsgiScope, receive: Receive, send: Send) -> None:
            await _middleware_of(self, original)(scope, receive, send)

        starlette.__call__ = call_with_feedback  # type: ignore[method-assign]  # what patching is
        _patched.append((starlette, original))


def _middleware_of(app: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    """The app with the middleware around; an app that brings its own (with its own settings) is left as it is."""
    known = _middleware.get(app)
    if known is not None:
        return known
    from otel_feedback.sdk.asgi import FeedbackMiddleware  # noqa: PLC0415  # `import otel_feedback` stays quick

    reference = weakref.ref(app)

    async def call_original(scope: AsgiScope, receive: Receive, send: Send) -> None:
        # Weak, because the cached middleware would otherwise keep its app alive for ever.
        await original(reference(), scope, receive, send)

    if any(getattr(each, "cls", None) is FeedbackMiddleware for each in getattr(app, "user_middleware", ())):
        return call_original
    return _middleware.setdefault(app, FeedbackMiddleware(call_original))
