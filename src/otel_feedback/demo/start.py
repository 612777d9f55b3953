"""Starts the demo: the service, a model, the chat app and a history to look at."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Final, TypeVar

from otel_feedback.demo.environment import chat_environment, with_signing_keys
from otel_feedback.demo.history import send_history
from otel_feedback.demo.local_http import call
from otel_feedback.demo.model_choice import ModelChoice, is_local, local_model, named_model
from otel_feedback.demo.processes import Child, Children, DemoError
from otel_feedback.demo.running_service import RunningService
from otel_feedback.service.listening import bind
from otel_feedback.settings import PREFIX, Address, Settings, parse_address

CHAT_VARIABLE: Final = "DEMO_CHAT_ADDRESS"
CHAT_DEFAULT: Final = "127.0.0.1:8080"
START_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.05
_ANY_PORT: Final = Address("127.0.0.1", 0)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo."""

    children: Children
    service: RunningService
    chat_url: str
    model: ModelChoice
    signing_keys: tuple[str, ...]
    history: str
    folder: Path


@contextmanager
def running_demo(tell: Callable[[str], None], environment: Mapping[str, str] | None = None) -> Iterator[Demo]:
    """Everything that belongs to the demo, until the block ends. What it says goes to logs in ``<data dir>/demo``.

    ``tell`` gets a line before each step that takes a moment.

    Raises:
        OtelFeedbackError: something can't start. Nothing keeps running.
    """
    environment = dict(os.environ if environment is None else environment)
    settings = Settings.load(environment)
    if settings.tls_cert:
        raise DemoError(f"{PREFIX}TLS_CERT is set, but the demo speaks plain HTTP on this machine. Unset it")
    with _listen(_chat_address(environment), CHAT_VARIABLE) as chat_socket, Children() as children:
        folder = _make_folder(settings.data_dir)
        environment = with_signing_keys(environment, settings, folder)
        tell("Starting the service with its database ...")
        server = [sys.executable, "-m", "otel_feedback.cli", "serve"]
        process = children.start("The service", server, environment, folder / "service.log")
        model = _start_model(children, environment, folder)
        service = _wait_for_service(children, process, settings)
        tell(f"Starting the chat app under opentelemetry-instrument; its model is {model.name} ...")
        chat_url = _start_chat(children, chat_socket, chat_environment(environment, service, model.environment), folder)
        history = send_history(service, time.time())
        wait(children, lambda: _answers(chat_url), "The chat app did not answer")
        keys = Settings.load(environment).signing_keys
        yield Demo(children, service, chat_url, model, keys, history, folder)


def wait(children: Children, ask: Callable[[], T | None], complaint: str, seconds: float = START_SECONDS) -> T:
    """Ask until there is an answer.

    Raises:
        DemoError: a process has ended meanwhile, or the time is up.
    """
    deadline = time.monotonic() + seconds
    while True:
        children.check()
        answer = ask()
        if answer is not None:
            return answer
        if time.monotonic() > deadline:
            raise DemoError(f"{complaint} within {seconds:g} s")
        time.sleep(_POLL_SECONDS)


def _chat_address(environment: Mapping[str, str]) -> Address:
    text = environment.get(CHAT_VARIABLE) or CHAT_DEFAULT
    try:
        return parse_address(text)
    except ValueError as error:
        raise DemoError(f"{CHAT_VARIABLE}={text!r} can't be read: {error}") from None


def _listen(address: Address, variable: str) -> socket:
    """A socket that a server process inherits, so that a busy port is told before anything has started."""
    bound = bind(address, variable)
    bound.listen()
    return bound


def _make_folder(data_dir: Path) -> Path:
    folder = data_dir / "demo"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DemoError(
            f"{folder} can't be made: {error.strerror}. Set {PREFIX}DATA_DIR to a directory that this user may write"
        ) from None
    return folder


def _start_model(children: Children, environment: Mapping[str, str], folder: Path) -> ModelChoice:
    if not is_local(environment):
        return named_model(environment)
    with _listen(_ANY_PORT, "") as listener:
        command = [*_uvicorn(listener), "otel_feedback.demo.model_server:app"]
        children.start("The model", command, environment, folder / "model.log", descriptors=[listener.fileno()])
        return local_model(_url(listener), environment)


def _start_chat(children: Children, listener: socket, environment: Mapping[str, str], folder: Path) -> str:
    instrument = str(Path(sys.executable).with_name("opentelemetry-instrument"))
    command = [instrument, *_uvicorn(listener), "--factory", "otel_feedback.demo.chat_app:create_app"]
    children.start("The chat app", command, environment, folder / "chat.log", descriptors=[listener.fileno()])
    url = _url(listener)
    listener.close()  # from here on a connection fails when the chat app has died
    return url


def _uvicorn(listener: socket) -> list[str]:
    options = ["--fd", str(listener.fileno()), "--timeout-graceful-shutdown", "3", "--no-access-log"]
    return [sys.executable, "-m", "uvicorn", *options]


def _url(listener: socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{Address(host, port)}"


def _wait_for_service(children: Children, child: Child, settings: Settings) -> RunningService:
    def ask() -> RunningService | None:
        return RunningService.find(settings.data_dir, child.process.pid, settings.ingest_tokens)

    return wait(children, ask, f"The service did not get ready (see {child.log})")


def _answers(url: str) -> bool | None:
    try:
        return True if call("GET", url).status == 200 else None
    except OSError:
        return None
