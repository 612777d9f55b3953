"""What fires, as the webhook was told it: a JSON file, replaced as a whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

from otel_feedback.errors import OtelFeedbackError

Firing: TypeAlias = dict[str, dict[str, str]]
"""By an alert's key: its name, subject, summary, runbook and since when (RFC 3339, UTC)."""


def read(file: Path) -> Firing:
    """What fires; nothing where there is no file yet.

    Raises:
        OtelFeedbackError: the file is there and can't be read.
    """
    try:
        told: Any = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise OtelFeedbackError(f"{file} can't be read ({error}). Delete it: what fires is told again") from error
    if not isinstance(told, dict) or not all(isinstance(each, dict) for each in told.values()):
        raise OtelFeedbackError(f"{file} holds something else. Delete it: what fires is told again")
    return told


def write(file: Path, firing: Firing) -> None:
    """Keep what fires.

    Raises:
        OtelFeedbackError: the file can't be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f"{file.name}.new")
        new.write_text(json.dumps(firing, indent=2), encoding="utf-8")
        new.replace(file)
    except OSError as error:
        raise OtelFeedbackError(f"{file} can't be written ({error}). Choose another one with --state") from error
