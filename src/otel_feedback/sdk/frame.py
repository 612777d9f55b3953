"""What ``session()`` and the middleware leave in the OpenTelemetry context for the spans started inside.

A frame travels with the context into tasks, threads and generators, while its notes (the latest LLM call, the latest
session) are shared: an LLM call deep inside writes them, whoever opened the frame reads them, even after the call's
span has ended and its context is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext

_KEY: Final = otel_context.create_key("otel-feedback-frame")
_NO_FRAME: Final = object()
# OpenTelemetry's server instrumentations begin each request with an empty context, in which a frame of a middleware
# around them is gone; so requests have a variable of their own.
_request: Final[ContextVar[Frame | None]] = ContextVar("otel-feedback-request", default=None)


@dataclass(slots=True, weakref_slot=True, eq=False)
class LlmCall:
    """One LLM call that was seen. ``span`` is its span while it records, None once it has ended."""

    span_context: SpanContext
    span: Span | None
    session_id: str = ""
    user: str = ""
    response_id: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether its span has ended, so that its answer is complete."""
        return self.span is None


@dataclass(slots=True, eq=False)
class Frame:
    """One ``session()`` or one request.

    Attributes:
        attributes: what goes on every span started inside.
        is_plain: whether OpenTelemetry's SDK takes these attributes exactly as they are.
        latest_call: the LLM call begun last inside, in whichever task or thread.
        latest_session: the session entered last inside; itself for a session.
        entry_span: the first span started inside a request, which is its server span.
        has_whole_answer: whether the framework has the whole answer, with or without a Content-Length.
        attachment: what detaches the frame from its context again; ``request_attachment`` likewise.
    """

    session_id: str = ""
    user: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    is_plain: bool = True
    parent: Frame | None = None
    owner: object = None
    is_request: bool = False
    latest_call: LlmCall | None = None
    latest_session: Frame | None = None
    entry_span: SpanContext | None = None
    has_whole_answer: bool = False
    attachment: Any = None
    request_attachment: Token[Frame | None] | None = None

    def note_call(self, call: LlmCall) -> None:
        """Make this the latest call of this frame and of every frame around it."""
        frame: Frame | None = self
        while frame is not None:
            frame.latest_call = call
            frame = frame.parent

    def note_session(self) -> None:
        """Make this the latest session of every frame around it."""
        frame: Frame | None = self
        while frame is not None:
            frame.latest_session = self
            frame = frame.parent

    def continue_session(self) -> None:
        """Let what is still to come in this request belong to the session that was entered last in it.

        A streamed answer is made after its handler, and the ``with session()`` in it, have returned.
        """
        if self.latest_session is not None:
            session = self.latest_session
            self.session_id, self.user = session.session_id, session.user
            self.attributes, self.is_plain = session.attributes, session.is_plain

    def note_entry_span(self, span_context: SpanContext) -> None:
        """Keep the first span of the request; later ones change nothing."""
        if self.entry_span is None:
            self.entry_span = span_context


def current_frame(context: Context | None = None) -> Frame | None:
    """The innermost frame of this context (default: the current one), or None."""
    frame = (otel_context.get_current() if context is None else context).get(_KEY)
    if frame is None:
        return _request.get()
    return frame if isinstance(frame, Frame) else None


def current_request() -> Frame | None:
    """The request that this task or thread serves, whatever sessions are entered in it."""
    return _request.get()


def empty_context() -> Context:
    """A context that belongs to no session and no request, whatever is current."""
    return otel_context.set_value(_KEY, _NO_FRAME, Context())


def attach(frame: Frame) -> None:
    """Make the frame current in this task or thread, until ``detach``."""
    frame.attachment = otel_context.attach(otel_context.set_value(_KEY, frame))
    if frame.is_request:
        frame.request_attachment = _request.set(frame)


def detach(frame: Frame) -> None:
    """Undo ``attach``. Does nothing where the frame is not current, e.g. in a generator that is closed elsewhere."""
    if current_frame() is not frame or frame.attachment is None:
        return
    attachment, frame.attachment = frame.attachment, None
    otel_context.detach(attachment)
    if frame.request_attachment is not None:
        _request.reset(frame.request_attachment)
