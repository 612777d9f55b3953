"""docs/alerts.md: its receiver checks what is really posted, and its command is one."""

from __future__ import annotations

import argparse
import re
import shlex
import time
from pathlib import Path
from typing import Any

from otel_feedback.alerts.webhook import signature
from otel_feedback.cli import alert

TEXT = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()


def test_the_receiver_takes_what_is_genuine_and_new():
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  # the page's own
    now = int(time.time())
    genuine = names["is_genuine"]
    assert genuine(b"key", signature(b"key", b"{}", now), b"{}")
    assert not genuine(b"key", signature(b"key", b"{}", now), b"{ }")
    assert not genuine(b"other", signature(b"key", b"{}", now), b"{}")
    assert not genuine(b"key", signature(b"key", b"{}", now - 600), b"{}")


def test_the_command_is_one():

    parser = argparse.ArgumentParser()
    alert.configure(parser)
    (command,) = re.findall(r"```sh\notel-feedback alert (.*?)\n```", TEXT)
    assert parser.parse_args(shlex.split(command)).every == "5m"
