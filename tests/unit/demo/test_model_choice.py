"""Which model the chat talks to."""

import json

import pytest
from tests.support.http_app import serve

from otel_feedback.demo.model_choice import is_local, local_model, named_model
from otel_feedback.demo.model_server import app
from otel_feedback.demo.processes import DemoError


@pytest.mark.parametrize(
    ("environment", "local"),
    [({}, True), ({"OPENAI_API_KEY": ""}, True), ({"OPENAI_API_KEY": "k"}, False), ({"OPENAI_BASE_URL": "u"}, False)],
)
def test_a_key_or_an_address_chooses_a_real_one(environment: dict[str, str], local: bool):
    assert is_local(environment) is local


def test_the_local_one_needs_no_key():
    choice = local_model("http://127.0.0.1:9", {})
    assert choice.environment["OPENAI_BASE_URL"] == "http://127.0.0.1:9/v1"
    assert choice.environment["OPENAI_API_KEY"]
    assert choice.name == "shop-assistant-small"


def test_openai_itself():
    choice = named_model({"OPENAI_API_KEY": "k"})
    assert (choice.name, choice.environment["OPENAI_API_KEY"]) == ("gpt-4o-mini", "k")
    assert named_model({"OPENAI_API_KEY": "k", "OPENAI_MODEL": "o9"}).name == "o9"


def test_another_server_is_asked_for_its_models():
    with serve(app) as url:
        choice = named_model({"OPENAI_BASE_URL": f"{url}/v1"})
    assert (choice.name, choice.told) == ("shop-assistant-small", f"shop-assistant-small at {url}/v1")
    assert choice.environment["OPENAI_API_KEY"], "the client wants one, whether or not the server does"


async def no_models(scope: dict, receive: object, send: object) -> None:
    del scope, receive
    body = json.dumps({"object": "list", "data": []}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})


def test_a_server_without_models_names_the_setting():
    with serve(no_models) as url, pytest.raises(DemoError, match=r"lists none\. Set OPENAI_MODEL"):
        named_model({"OPENAI_BASE_URL": url})
    with pytest.raises(DemoError, match="Set OPENAI_MODEL"):
        named_model({"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})
