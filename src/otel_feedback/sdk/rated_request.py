"""One request to the app, from its first span to the token in its answer, free of any web framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext

from otel_feedback.feedback_api import TOKEN_HEADER
from otel_feedback.rating import Scope, Target
from otel_feedback.sdk.frame import Frame, attach, current_frame, detach
from otel_feedback.sdk.quiet import report_failure
from otel_feedback.sdk.routes import STATUSES_WITHOUT_BODY
from otel_feedback.sdk.span_processor import fit_span_processor
from otel_feedback.sdk.targets import call_target, span_target
from otel_feedback.tokens import Grant, Keyring

EXPOSE_HEADER: Final = "Access-Control-Expose-Headers"
_WITHOUT_TOKEN: Final = frozenset({"HEAD", "OPTIONS"})


class RatedRequest:
    """Every answer gets the header ``Otel-Feedback-Token`` when there is something to rate.

    - An answer that is complete as its headers go out (it has a Content-Length, or the framework says so): the latest
      LLM call of this request, if there was one; with a ``session()`` but no such call, the trace.
    - An answer that streams (no Content-Length): the trace, because the call whose text it carries may still run or
      not even have begun. Whoever reads the rating resolves the trace to its final LLM call.
    - Anything else (static files, redirects, errors, pages without an LLM) gets no header, so it stays cacheable.

    The session and the rater that are known by then are in the token.
    """

    def __init__(self, method: str, *, names_origin: bool, keyring: Callable[[], Keyring]) -> None:
        """``names_origin`` says whether the request has the header Origin, i.e. comes from a page's script."""
        fit_span_processor()
        self._method = method
        self._names_origin = names_origin
        self._keyring = keyring
        self._frame = Frame(parent=current_frame(), is_request=True)
        server_span = trace.get_current_span().get_span_context()
        if server_span.is_valid:  # OpenTelemetry's middleware is around this one
            self._frame.note_entry_span(server_span)

    def attach(self) -> None:
        """Make it the request of this task or thread."""
        attach(self._frame)

    def detach(self) -> None:
        """Undo ``attach``, where the task or thread goes on to something else."""
        detach(self._frame)

    def start_answer(self, status: int, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        """The headers to set on the answer whose headers go out now: a token, or nothing. Never raises."""
        try:
            return self._headers_with_token(status, headers)
        except Exception as error:  # noqa: BLE001  # the answer must go out, with a token or without
            report_failure("adding a rating token to a response", error)
            return {}

    def continue_in_body(self) -> None:
        """Let what streams belong to the session that was entered last, and to the trace that the token names.

        Instrumentations of some frameworks (Flask, Django) end the server span when the view returns, before a
        streamed answer is made. It stays attached: call it where the context ends with the request.
        """
        self._frame.continue_session()
        entry_span = self._frame.entry_span
        if entry_span is not None and not trace.get_current_span().get_span_context().is_valid:
            otel_context.attach(trace.set_span_in_context(NonRecordingSpan(entry_span)))

    def _headers_with_token(self, status: int, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        if status in STATUSES_WITHOUT_BODY or not 200 <= status < 300 or self._method in _WITHOUT_TOKEN:
            return {}
        known = [(name.lower(), value) for name, value in headers]
        names = {name for name, _ in known}
        if TOKEN_HEADER.lower() in names:
            return {}
        grant = self._grant(is_complete=self._frame.has_whole_answer or "content-length" in names)
        if grant is None:
            return {}
        added = {TOKEN_HEADER: self._keyring().mint(grant)}
        if self._names_origin:
            # Pages of other origins may read the header, in addition to what they may read already.
            exposed = [
                part.strip() for name, value in known if name == EXPOSE_HEADER.lower() for part in value.split(",")
            ]
            added[EXPOSE_HEADER] = ", ".join([*(part for part in exposed if part), TOKEN_HEADER])
        return added

    def _grant(self, *, is_complete: bool) -> Grant | None:
        call, session = self._frame.latest_call, self._frame.latest_session
        if is_complete and call is not None and call.has_ended:
            return Grant(call_target(call), call.user)
        if is_complete and call is None and session is None:
            return None
        server_span = self._server_span()
        if server_span is None:
            return None
        self._frame.note_entry_span(server_span)  # what streams must be found by the token
        session_id, user = (session.session_id, session.user) if session else ("", "")
        target = span_target(server_span, session_id=session_id)
        return Grant(Target(Scope.TRACE, target.trace_id, target.span_id, session_id), user)

    def _server_span(self) -> SpanContext | None:
        """The request's server span; one that is not sampled is known only as the current span."""
        span_context = self._frame.entry_span or trace.get_current_span().get_span_context()
        return span_context if span_context.is_valid else None
