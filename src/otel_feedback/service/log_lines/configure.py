"""Send every log of the process, warnings and uncaught exceptions too, to standard error in one format."""

from __future__ import annotations

import logging
import os
import sys
import threading
from types import TracebackType

from otel_feedback.service.log_lines.formats import JsonFormatter, TextFormatter
from otel_feedback.service.log_lines.redaction import Redaction
from otel_feedback.service.log_lines.repeats import SparingHandler
from otel_feedback.settings import Settings

logger = logging.getLogger(__name__)


def configure_logging(settings: Settings, level: str) -> Redaction:
    """For the process as a whole, in place of what was set up before; to be called before gRPC is imported.

    Returns what hides secrets, to be told of others that come later.
    """
    redact = Redaction(settings)
    handler = SparingHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(redact) if settings.log_format == "json" else TextFormatter(redact))
    root = logging.getLogger()
    for former in [*root.handlers]:  # not by basicConfig, which OpenTelemetry replaces to keep its own handler
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    # gRPC's core writes lines of its own past Python's logging; what matters of them comes as an exception too.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    return redact


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logger.critical("the service ends: %s", error, exc_info=(kind, error, trace))


def _log_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    error = arguments.exc_value or arguments.exc_type()
    name = arguments.thread.name if arguments.thread else "a thread"
    trace = (arguments.exc_type, error, arguments.exc_traceback)
    logger.critical("%s ended: %s", name, error, exc_info=trace, extra={"thread_name": name})
