"""``otel-feedback demo``: a chat app, a model and a history to look at, all on this machine."""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import time
from typing import TYPE_CHECKING, Final

from otel_feedback.errors import ConfigurationError

if TYPE_CHECKING:
    from otel_feedback.demo.start import Demo

SUMMARY: Final = "try everything: a chat app, a local model, the service, and two weeks of made-up history"
EXAMPLE: Final = "DEMO_CHAT_ADDRESS=127.0.0.1:9000 otel-feedback demo"
ONESHOT: Final = "DEMO_ONESHOT"
_CHECK_SECONDS: Final = 0.2
_NEEDED: Final = ("openai", "opentelemetry.instrumentation.genai.openai", "opentelemetry.instrumentation.starlette")


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the environment decides; the settings of the service count as well."""
    parser.epilog = f"""{parser.epilog}

Environment:
  DEMO_CHAT_ADDRESS   where the chat listens (default 127.0.0.1:8080; port 0 picks a free one)
  DEMO_ONESHOT=1      chat and rate without a person, print the joined ratings, and end
  OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL
                      a real model instead of the one that is made up on this machine
All settings of the service (see: otel-feedback config) hold as well."""


def run(_arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C, or with DEMO_ONESHOT=1 until every rating is joined.

    Raises:
        OtelFeedbackError: something could not start, ended, or went wrong; nothing keeps running.
    """
    _check_packages()
    from otel_feedback.demo.start import running_demo  # noqa: PLC0415  # --help needs nothing of it

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    is_unattended = os.environ.get(ONESHOT, "") not in {"", "0"}
    try:
        with running_demo(_tell) as demo:
            try:
                _rate_unattended(demo) if is_unattended else _wait_for_the_end(demo)
            finally:
                _tell("Stopping ...")
    except KeyboardInterrupt as interruption:
        _tell(f"Stopped by {interruption}.")
        return 130 if is_unattended else 0
    return 0


def _interrupt(number: int, _frame: object) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def _check_packages() -> None:
    missing = [name for name in _NEEDED if not _is_installed(name)]
    if missing:
        raise ConfigurationError(f'the package {missing[0]} is not installed. Run: pip install "otel-feedback[demo]"')


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _wait_for_the_end(demo: Demo) -> None:
    from otel_feedback.demo.telling import welcome  # noqa: PLC0415  # as in run

    _tell(welcome(demo))
    while True:
        demo.children.check()
        time.sleep(_CHECK_SECONDS)


def _rate_unattended(demo: Demo) -> None:
    from otel_feedback.demo.telling import table  # noqa: PLC0415  # as in run
    from otel_feedback.demo.unattended import JOINED_WITHIN_SECONDS, run_unattended  # noqa: PLC0415  # as in run

    _tell(f"History: {demo.history}.\nChatting and rating at {demo.chat_url} ...")
    joined = run_unattended(demo)
    _tell(f"\nEvery rating is joined with its LLM call, within {JOINED_WITHIN_SECONDS:g} s of its click:\n")
    _tell(table(joined))
    _tell("\nThe changed vote is there once, with its last value; the one taken back is not there.")


def _tell(text: str) -> None:
    print(text, flush=True)
