"""The environment of each process of the demo, made from the caller's."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from otel_feedback.demo.processes import DemoError
from otel_feedback.demo.running_service import RunningService
from otel_feedback.settings import PREFIX, Settings

CHAT_SERVICE_NAME: Final = "demo-chat"
SIGNING_KEYS: Final = PREFIX + "SIGNING_KEYS"
_KEY_FILE: Final = "signing-key"


def with_signing_keys(environment: Mapping[str, str], settings: Settings, folder: Path) -> dict[str, str]:
    """The environment with the keys of the settings, else with a random one that is kept in the folder.

    Tokens that a browser holds stay good when the demo starts again.
    """
    keys = ",".join(settings.signing_keys) or _kept_key(folder / _KEY_FILE)
    others = {name: value for name, value in environment.items() if name != SIGNING_KEYS + "_FILE"}
    return {**others, SIGNING_KEYS: keys}


def chat_environment(
    environment: Mapping[str, str], service: RunningService, model: Mapping[str, str]
) -> dict[str, str]:
    """Everything that instruments the chat app: OpenTelemetry's standard variables, and nothing in its code.

    OTEL_* variables of the caller, which may point elsewhere, are left out, and proxies are kept out of the way to
    this machine.
    """
    kept = {
        name: value for name, value in environment.items() if not name.startswith("OTEL_") or name.startswith(PREFIX)
    }
    instrumentation = {
        "OTEL_SERVICE_NAME": CHAT_SERVICE_NAME,
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": service.http,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_HEADERS": ",".join(f"{name}={quote(text)}" for name, text in service.otlp_headers.items()),
        "OTEL_EXPORTER_OTLP_TIMEOUT": "5",  # seconds; so that an end without the service does not drag on
        "OTEL_BSP_SCHEDULE_DELAY": "500",  # milliseconds, instead of 5 s: a click should show at once
        "OTEL_BLRP_SCHEDULE_DELAY": "500",
        "OTEL_PYTHON_STARLETTE_EXCLUDED_URLS": "/static/,^https?://[^/]+/$",  # the page itself is of no interest
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    }
    past_proxies = ",".join(
        filter(None, (environment.get("NO_PROXY", environment.get("no_proxy")), "127.0.0.1,localhost"))
    )
    return {**kept, **model, **instrumentation, "NO_PROXY": past_proxies, "no_proxy": past_proxies}


def _kept_key(path: Path) -> str:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    except OSError as error:
        raise DemoError(f"{path} can't be written: {error.strerror}. Set {SIGNING_KEYS}") from None
    key = path.read_text("ascii").strip()
    if not key:  # the machine stopped between the two steps
        path.unlink()
        return _kept_key(path)
    return key
