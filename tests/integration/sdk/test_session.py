from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry import trace
from tests.support.telemetry import sdk_settings, telemetry

import otel_feedback
from otel_feedback import semconv
from otel_feedback.sdk.frame import current_frame

__all__ = ["sdk_settings", "telemetry"]

SESSION_KEYS = (semconv.SESSION_ID, semconv.CONVERSATION_ID, semconv.ENDUSER_PSEUDO_ID)


def session_of(span):
    return tuple(span.attributes.get(key) for key in SESSION_KEYS)


def test_every_span_inside_carries_the_session_and_none_outside(telemetry):
    with telemetry.tracer.start_as_current_span("request"):
        session = otel_feedback.session("c-42", user="u-7", attributes={"prompt.version": "v3"})
        with session, telemetry.tracer.start_as_current_span("retrieve"):
            telemetry.llm_call("chat")
        with telemetry.tracer.start_as_current_span("afterwards"):
            pass
    for name in ("request", "retrieve", "chat"):
        assert session_of(telemetry.span(name)) == ("c-42", "c-42", "u-7"), name
        assert telemetry.span(name).attributes["prompt.version"] == "v3"
    assert session_of(telemetry.span("afterwards")) == (None, None, None)


def test_what_a_span_says_itself_wins(telemetry):
    with otel_feedback.session("c-42", attributes={"prompt.version": "v3"}):
        telemetry.tracer.start_span("chat", attributes={"prompt.version": "v4"}).end()
    assert telemetry.span("chat").attributes["prompt.version"] == "v4"


def test_a_session_inside_a_session_inherits_user_and_attributes(telemetry):
    with otel_feedback.session("outer", user="u-7", attributes={"tier": "pro", "a": 1}):
        with otel_feedback.session("inner", attributes={"a": 2}):
            telemetry.tracer.start_span("within").end()
        telemetry.tracer.start_span("after").end()
    within = telemetry.span("within")
    assert session_of(within) == ("inner", "inner", "u-7")
    assert (within.attributes["tier"], within.attributes["a"]) == ("pro", 2)
    assert session_of(telemetry.span("after"))[0] == "outer"


def test_a_session_follows_into_tasks_but_not_into_siblings(telemetry):
    async def answer(number):
        async with otel_feedback.session(f"c-{number}"):
            await asyncio.sleep(0)
            await asyncio.create_task(call(number))
            await asyncio.sleep(0)

    async def call(number):
        telemetry.llm_call(f"chat-{number}")

    async def main():
        await asyncio.gather(*(answer(number) for number in range(20)))

    asyncio.run(main())
    assert [session_of(telemetry.span(f"chat-{n}"))[0] for n in range(20)] == [f"c-{n}" for n in range(20)]


def test_a_session_follows_the_context_into_a_thread(telemetry):
    with otel_feedback.session("c-42"), ThreadPoolExecutor(1) as pool:
        pool.submit(contextvars.copy_context().run, telemetry.llm_call, "chat").result()
        assert otel_feedback.feedback_token() != ""
    assert session_of(telemetry.span("chat"))[0] == "c-42"


def test_it_decorates_functions_and_coroutines(telemetry):
    chat = otel_feedback.session("c-42", user="u-7")

    @chat
    def plain(text):
        """Say it."""
        telemetry.llm_call("plain")
        return text.upper()

    @chat
    async def awaited():
        telemetry.llm_call("awaited")
        return 5

    assert (plain("hi"), plain.__name__, plain.__doc__) == ("HI", "plain", "Say it.")
    assert asyncio.run(awaited()) == 5
    assert session_of(telemetry.span("plain"))[0] == session_of(telemetry.span("awaited"))[0] == "c-42"
    assert current_frame() is None


def test_a_decorated_generator_keeps_its_session_and_span_to_itself(telemetry):
    @otel_feedback.session("c-42")
    def stream():
        with telemetry.tracer.start_as_current_span("stream"):
            received = yield "a"
            telemetry.llm_call(f"after-{received}")
            yield "b"
        return "end"

    chunks = stream()
    assert next(chunks) == "a"
    telemetry.tracer.start_span("caller").end()
    assert not trace.get_current_span().get_span_context().is_valid
    assert chunks.send("yes") == "b"
    with pytest.raises(StopIteration, match="end"):
        next(chunks)
    assert session_of(telemetry.span("caller"))[0] is None
    inner, outer = telemetry.span("after-yes"), telemetry.span("stream")
    assert inner.parent.span_id == outer.context.span_id
    assert session_of(inner)[0] == session_of(outer)[0] == "c-42"


def test_a_decorated_async_generator_keeps_its_session_and_span_to_itself(telemetry):
    closed = []

    @otel_feedback.session("c-42")
    async def stream():
        try:
            with telemetry.tracer.start_as_current_span("stream"):
                yield "a"
                telemetry.llm_call("chat")
                yield "b"
        except ValueError as error:
            yield f"caught {error}"
        finally:
            closed.append(current_frame().session_id)

    async def main():
        chunks = stream()
        assert await anext(chunks) == "a"
        telemetry.tracer.start_span("caller").end()
        assert await anext(chunks) == "b"
        assert await chunks.athrow(ValueError("no")) == "caught no"
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)
        left_early = stream()
        await anext(left_early)
        await left_early.aclose()
        assert current_frame() is None

    asyncio.run(main())
    assert closed == ["c-42", "c-42"]
    assert session_of(telemetry.span("caller"))[0] is None
    assert session_of(telemetry.span("chat"))[0] == "c-42"


def test_an_exception_leaves_the_session(telemetry):
    with pytest.raises(ValueError, match="boom"), otel_feedback.session("c-42"):
        raise ValueError("boom")
    telemetry.tracer.start_span("after").end()
    assert session_of(telemetry.span("after"))[0] is None


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"session_id": 42}, TypeError, "session_id"),
        ({"session_id": " "}, ValueError, "session_id"),
        ({"session_id": "c" * 257}, ValueError, "session_id"),
        ({"session_id": "c", "user": 7}, TypeError, "user"),
        ({"session_id": "c", "user": ""}, ValueError, "user"),
        ({"session_id": "c", "attributes": ["a"]}, TypeError, "attributes"),
        ({"session_id": "c", "attributes": {1: "a"}}, TypeError, "attributes"),
    ],
)
def test_a_mistake_is_refused_with_the_name_of_its_argument(arguments, error, named):
    with pytest.raises(error, match=named):
        otel_feedback.session(**arguments)
