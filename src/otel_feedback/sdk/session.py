"""``session()``: one conversation, put on everything that happens inside."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, cast

from opentelemetry import context as otel_context
from opentelemetry import trace

from otel_feedback import semconv
from otel_feedback.rating import MAX_IDENTIFIER_CHARACTERS
from otel_feedback.sdk.frame import Frame, attach, current_frame, detach
from otel_feedback.sdk.held_attributes import are_plain
from otel_feedback.sdk.pseudonyms import pseudonym_of
from otel_feedback.sdk.quiet import report_failure
from otel_feedback.sdk.span_processor import fit_span_processor

P = ParamSpec("P")
R = TypeVar("R")


class Session:
    """What ``session()`` returns: a context manager, an async context manager and a decorator, any number of times."""

    def __init__(self, session_id: str, user: str | None, attributes: Mapping[str, Any]) -> None:
        self.session_id = session_id
        self.user = user
        self._attributes = dict(attributes)

    def __enter__(self) -> Self:
        self._enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        frame = current_frame()
        if frame is not None and frame.owner is self:
            detach(frame)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Run every call of a function, coroutine function or (async) generator function inside the session."""
        if inspect.isasyncgenfunction(function):
            wrapped: Any = self._around_async_generator(function)
        elif inspect.isgeneratorfunction(function):
            wrapped = self._around_generator(function)
        elif inspect.iscoroutinefunction(function):
            wrapped = self._around_coroutine(function)
        else:
            wrapped = self._around_function(function)
        return cast("Callable[P, R]", functools.wraps(function)(wrapped))

    def _enter(self) -> Frame:
        fit_span_processor()
        frame = self._new_frame()
        attach(frame)
        frame.note_session()
        try:
            span = trace.get_current_span()
            if span.is_recording():
                span.set_attributes(frame.attributes)
        except Exception as error:  # noqa: BLE001  # telemetry never breaks the app
            report_failure("adding the session to the current span", error)
        return frame

    def _new_frame(self) -> Frame:
        """A frame that has this session's attributes, and of the session around it what this one does not say."""
        around = current_frame()
        user = self.user if self.user is not None else (around.user if around else "")
        attributes = {
            **(around.attributes if around else {}),
            **self._attributes,
            semconv.SESSION_ID: self.session_id,
            semconv.CONVERSATION_ID: self.session_id,
        }
        if user:
            attributes[semconv.ENDUSER_PSEUDO_ID] = user
        return Frame(self.session_id, user, attributes, are_plain(attributes), parent=around, owner=self)

    def _around_function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return call

    def _around_coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await function(*args, **kwargs)

        return call

    def _around_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def generate(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            body = function(*args, **kwargs)
            steps = _Steps(self)
            advance: Callable[[], Any] = functools.partial(next, body)
            while True:
                with steps:
                    try:
                        item = advance()
                    except StopIteration as stop:
                        return stop.value
                try:
                    sent = yield item
                except GeneratorExit:
                    with steps:
                        body.close()
                    raise
                except BaseException as error:  # noqa: BLE001  # what the caller throws in is the body's to handle
                    advance = functools.partial(body.throw, error)
                else:
                    advance = functools.partial(body.send, sent)

        return generate

    def _around_async_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def generate(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            body = function(*args, **kwargs)
            steps = _Steps(self)
            advance: Callable[[], Any] = functools.partial(anext, body)
            while True:
                with steps:
                    try:
                        item = await advance()
                    except StopAsyncIteration:
                        return
                try:
                    sent = yield item
                except GeneratorExit:
                    with steps:
                        await body.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001  # as in _around_generator
                    advance = functools.partial(body.athrow, error)
                else:
                    advance = functools.partial(body.asend, sent)

        return generate


class _Steps:
    """Gives a generator's body its own context while it runs, and its caller's back while it is suspended.

    A generator shares the context of whoever runs it. Without this the session would leak to the caller between two
    items, and a span that the body holds open across a ``yield`` would be lost or become the caller's parent.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._inside: otel_context.Context | None = None
        self._attachment: Any = None

    def __enter__(self) -> None:
        if self._inside is None:
            frame = self._session._enter()  # noqa: SLF001  # one class in two parts
            self._attachment = frame.attachment
        else:
            self._attachment = otel_context.attach(self._inside)

    def __exit__(self, *_: object) -> None:
        self._inside = otel_context.get_current()
        otel_context.detach(self._attachment)


def session(session_id: str, *, user: str | None = None, attributes: Mapping[str, Any] | None = None) -> Session:
    """One conversation: everything inside carries its id.

    Every span started inside, and the span that is current on entry, gets ``session.id``, ``gen_ai.conversation.id``,
    ``enduser.pseudo.id`` (when ``user`` is given) and ``attributes``. What a span says itself wins. Use it as
    ``with``, ``async with``, or as a decorator of functions, coroutines and (async) generators. A session inside a
    session inherits its user and attributes. It follows the OpenTelemetry context into tasks; a thread needs that
    context too (``opentelemetry-instrumentation-threading``, or ``contextvars.copy_context()``). With the ASGI
    middleware it also covers the answer that a handler streams after it has returned from the session.

    ``user`` is stored as ``otel_feedback.pseudonym`` tells: exactly as given, so give an id that means nothing outside
    of your own database; or, with OTEL_FEEDBACK_PSEUDONYM_KEY, as a pseudonym that only this key can make.

    Raises:
        TypeError: an argument has the wrong type; the message names it.
        ValueError: ``session_id`` or ``user`` is empty or too long.
    """
    _check_identifier("session_id", session_id)
    if user is not None:
        _check_identifier("user", user)
        user = pseudonym_of("user", user)
    if attributes is not None and not isinstance(attributes, Mapping):
        raise TypeError(f"attributes must be a mapping, not {type(attributes).__name__}")
    for key in attributes or {}:
        if not isinstance(key, str):
            raise TypeError(f"attributes must have strings as keys, not {type(key).__name__}")
    return Session(session_id, user, attributes or {})


def _check_identifier(argument: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be a string, not {type(value).__name__}")
    if not value.strip():
        raise ValueError(f"{argument} must not be empty")
    if len(value) > MAX_IDENTIFIER_CHARACTERS:
        raise ValueError(f"{argument} has {len(value)} characters; at most {MAX_IDENTIFIER_CHARACTERS} are taken")
