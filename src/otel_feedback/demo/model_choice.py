"""Which model the chat talks to: the one on this machine, or the one that OPENAI_* names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from otel_feedback.demo.processes import DemoError
from otel_feedback.demo.shop import DEFAULT_MODEL

BASE_URL: Final = "OPENAI_BASE_URL"
API_KEY: Final = "OPENAI_API_KEY"
MODEL: Final = "OPENAI_MODEL"
OPENAI_DEFAULT_MODEL: Final = "gpt-4o-mini"
_NO_KEY: Final = "none-needed"
_LIST_TIMEOUT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The variables for the official client, and how to tell people of the model."""

    environment: Mapping[str, str]
    told: str

    @property
    def name(self) -> str:
        """The model's name."""
        return self.environment[MODEL]


def is_local(environment: Mapping[str, str]) -> bool:
    """Whether nothing names a model's server, so that the demo starts its own."""
    return not environment.get(BASE_URL) and not environment.get(API_KEY)


def local_model(url: str, environment: Mapping[str, str]) -> ModelChoice:
    """The model server of the demo."""
    name = environment.get(MODEL) or DEFAULT_MODEL
    variables = {BASE_URL: f"{url}/v1", API_KEY: _NO_KEY, MODEL: name}
    return ModelChoice(variables, f"{name}, made up on this machine ({API_KEY} or {BASE_URL} choose a real one)")


def named_model(environment: Mapping[str, str]) -> ModelChoice:
    """The model that the environment names.

    Without OPENAI_MODEL it is OpenAI's small one, or the first one that the server behind OPENAI_BASE_URL lists.

    Raises:
        DemoError: that server lists none.
    """
    url, key = environment.get(BASE_URL, ""), environment.get(API_KEY) or _NO_KEY
    name = environment.get(MODEL) or (_first_model(url, key) if url else OPENAI_DEFAULT_MODEL)
    return ModelChoice({API_KEY: key, MODEL: name}, f"{name} at {url or 'OpenAI'}")


def _first_model(url: str, key: str) -> str:
    import openai  # noqa: PLC0415  # a second of imports that a start without it does not pay

    try:
        client = openai.OpenAI(base_url=url, api_key=key, timeout=_LIST_TIMEOUT_SECONDS, max_retries=0)
        for model in client.models.list():
            return model.id
        reason = "it lists none"
    except (openai.OpenAIError, ValueError) as error:
        reason = str(error)
    raise DemoError(f"{BASE_URL}={url} does not tell its models: {reason}. Set {MODEL} to the one to use")
