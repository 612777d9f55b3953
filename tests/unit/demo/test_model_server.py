"""The local model server with the official client: whole, streamed, with tools, and refusing."""

import asyncio
import base64
import math
import struct
from collections.abc import Callable, Iterator
from typing import Any, Literal

import httpx
import openai
import pytest
from tests.support.http_app import serve

from otel_feedback.demo.model_server import DEFAULT_MODEL, app
from otel_feedback.demo.shop import LOOK_UP_ORDER


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(app) as running:
        yield f"{running}/v1"


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as made:
        yield made


def asked(question: str) -> list:
    return [{"role": "user", "content": question}]


def test_a_whole_answer(client: openai.OpenAI):
    answer = client.chat.completions.create(model=DEFAULT_MODEL, messages=asked("Can I return an opened item?"))
    (choice,) = answer.choices
    assert "30 days" in (choice.message.content or "")
    assert (answer.object, answer.model, choice.finish_reason) == ("chat.completion", DEFAULT_MODEL, "stop")
    assert answer.id.startswith("chatcmpl-")
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 5
    assert answer.usage.completion_tokens > 20
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_streamed_answer_is_the_same_text_word_by_word(client: openai.OpenAI):
    messages = asked("Can I return an opened item?")
    whole = client.chat.completions.create(model=DEFAULT_MODEL, messages=messages)
    chunks = list(
        client.chat.completions.create(
            model=DEFAULT_MODEL, messages=messages, stream=True, stream_options={"include_usage": True}
        )
    )
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len(pieces) > 20
    assert len({chunk.id for chunk in chunks}) == 1
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].usage == whole.usage


def test_usage_is_streamed_only_on_request(client: openai.OpenAI):
    chunks = list(client.chat.completions.create(model=DEFAULT_MODEL, messages=asked("Hello"), stream=True))
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


def test_the_async_client(url: str):
    async def ask() -> str:
        async with openai.AsyncOpenAI(base_url=url, api_key="none") as client:
            stream = await client.chat.completions.create(
                model="shop-assistant-large", messages=asked("Thanks!"), stream=True
            )
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(ask()) in {"You are welcome! Enjoy cooking.", "Glad I could help. Is there anything else?"}


def answer_whole(client: openai.OpenAI, messages: list) -> Any:
    return client.chat.completions.create(model=DEFAULT_MODEL, messages=messages, tools=[LOOK_UP_ORDER])


def answer_streamed(client: openai.OpenAI, messages: list) -> Any:
    asking = client.chat.completions.stream(model=DEFAULT_MODEL, messages=messages, tools=[LOOK_UP_ORDER])
    with asking as stream:
        return stream.get_final_completion()


@pytest.mark.parametrize("answer_to", [answer_whole, answer_streamed])
def test_a_tool_call_and_the_answer_after_it(client: openai.OpenAI, answer_to: Callable[..., Any]):
    messages = asked("Where is my order A-1010?")
    (choice,) = answer_to(client, messages).choices
    (call,) = choice.message.tool_calls
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert (call.function.name, call.function.arguments) == ("look_up_order", '{"order": "A-1010"}')
    called = {"id": call.id, "type": "function", "function": call.function.model_dump(include={"name", "arguments"})}
    found = {"role": "tool", "tool_call_id": call.id, "content": '{"order": "A-1010", "error": "gone"}'}
    after = answer_to(client, [*messages, {"role": "assistant", "content": None, "tool_calls": [called]}, found])
    assert "gone" in after.choices[0].message.content


def test_max_tokens_cuts_the_answer(client: openai.OpenAI):
    answer = client.chat.completions.create(model=DEFAULT_MODEL, messages=asked("Refund?"), max_completion_tokens=5)
    assert answer.choices[0].finish_reason == "length"
    assert 0 < answer.usage.completion_tokens <= 5


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings_of_texts_with_words_in_common_are_alike(
    client: openai.OpenAI, encoding: Literal["float", "base64"]
):
    texts = ["A cast iron pan", "the pan of cast iron", "steak knives", "!?"]
    answer = client.embeddings.create(model="shop-embedding", input=texts, encoding_format=encoding, dimensions=64)
    assert [each.index for each in answer.data] == [0, 1, 2, 3]
    assert (answer.model, answer.usage.prompt_tokens, answer.usage.total_tokens) == ("shop-embedding", 15, 15)
    vectors = [each.embedding for each in answer.data]
    if encoding == "base64":  # asked for by name, the client hands it on as it came
        vectors = [struct.unpack("<64f", base64.b64decode(each)) for each in vectors]
    assert [math.hypot(*vector) for vector in vectors] == pytest.approx([1.0] * 4)
    to_first = [sum(a * b for a, b in zip(vectors[0], vector, strict=True)) for vector in vectors]
    assert to_first[1] > 2 * max(to_first[2:])


def test_the_embedding_of_one_text_as_the_client_asks_by_itself(client: openai.OpenAI):
    (only,) = client.embeddings.create(model="shop-embedding", input="a pan").data
    assert (len(only.embedding), sum(value > 0.7 for value in only.embedding)) == (32, 2)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": "a"}, "model"),
        ({"model": "shop-embedding"}, "input"),
        ({"model": "shop-embedding", "input": []}, "input"),
        ({"model": "shop-embedding", "input": ["a", ""]}, "input"),
        ({"model": "shop-embedding", "input": [1, 2]}, "input"),
        ({"model": "shop-embedding", "input": "a", "dimensions": 0}, "dimensions"),
        ({"model": "shop-embedding", "input": "a", "dimensions": True}, "dimensions"),
        ({"model": "shop-embedding", "input": "a", "encoding_format": "hex"}, "encoding_format"),
    ],
)
def test_a_wrong_request_for_embeddings_names_its_parameter(url: str, body: Any, param: str):
    answer = httpx.post(f"{url}/embeddings", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_each_model_does_what_it_is_for(client: openai.OpenAI):
    with pytest.raises(openai.NotFoundError, match="shop-embedding"):
        client.embeddings.create(model=DEFAULT_MODEL, input="a")
    with pytest.raises(openai.NotFoundError, match="shop-assistant-small"):
        client.chat.completions.create(model="shop-embedding", messages=asked("Hello"))


def test_models_are_listed(client: openai.OpenAI):
    assert [model.id for model in client.models.list()] == [
        "shop-assistant-small",
        "shop-assistant-large",
        "shop-embedding",
    ]
    assert client.models.retrieve(DEFAULT_MODEL).id == DEFAULT_MODEL


@pytest.mark.parametrize(
    ("model", "question", "error", "code"),
    [
        ("gpt-0", "Hello", openai.NotFoundError, "model_not_found"),
        (DEFAULT_MODEL, "What if I hit the rate limit?", openai.RateLimitError, "rate_limit_exceeded"),
        (DEFAULT_MODEL, "Show me a server error", openai.InternalServerError, None),
    ],
)
def test_what_it_refuses_becomes_the_clients_own_errors(
    client: openai.OpenAI, model: str, question: str, error: type[openai.APIStatusError], code: str | None
):
    with pytest.raises(error) as raised:
        client.chat.completions.create(model=model, messages=asked(question))
    assert raised.value.code == code
    assert raised.value.body["message"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": [{"role": "user", "content": "Hi"}]}, "model"),
        ({"model": DEFAULT_MODEL}, "messages"),
        ({"model": DEFAULT_MODEL, "messages": []}, "messages"),
        ({"model": DEFAULT_MODEL, "messages": "Hi"}, "messages"),
        ({"model": DEFAULT_MODEL, "messages": [{"role": "robot", "content": "Hi"}]}, "messages[0].role"),
        ({"model": DEFAULT_MODEL, "messages": [{"role": "user"}]}, "messages[0].content"),
        ({"model": DEFAULT_MODEL, "messages": [{"role": "user", "content": "Hi"}], "n": 2}, "n"),
        ({"model": DEFAULT_MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 0}, "max_tokens"),
        ({"model": DEFAULT_MODEL, "messages": [{"role": "user", "content": "Hi"}], "tools": [{}]}, "tools[0]"),
        ({"model": DEFAULT_MODEL, "messages": [{"role": "user", "content": "Hi"}], "stream_options": 1}, "stream_opt"),
    ],
)
def test_a_wrong_request_names_its_parameter(url: str, body: Any, param: str):
    answer = httpx.post(f"{url}/chat/completions", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert error["param"].startswith(param)
    assert param in error["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object(url: str, body: Any):
    answer = httpx.post(f"{url}/chat/completions", content=body)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]["message"]


def test_an_unknown_path_and_method(url: str):
    assert httpx.post(f"{url}/images").json()["error"]["message"] == "Invalid URL (POST /v1/images)"
    wrong_method = httpx.get(f"{url}/chat/completions")
    assert (wrong_method.status_code, wrong_method.headers["allow"]) == (405, "POST")
