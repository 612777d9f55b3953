"""Every check, in the order in which one trouble explains the next."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from otel_feedback.clickhouse.connect import connect_reader
from otel_feedback.dashboard.access import Access
from otel_feedback.doctor import counters, data_directory, database, ports, queues, rejected
from otel_feedback.doctor.finding import Finding
from otel_feedback.errors import ConfigurationError
from otel_feedback.running_service import has_service, read_state
from otel_feedback.service.run import check_addresses
from otel_feedback.settings import DEFAULT_FILE, PREFIX, Settings


def examine() -> list[Finding]:
    """Look at everything. Nothing is changed, and nothing is waited for longer than some seconds."""
    try:
        settings = Settings.load()
        check_addresses(settings)
        Access(settings, "")
        connect_reader(settings).close()
    except ConfigurationError as error:
        return [Finding("settings", "failed", str(error), "See: otel-feedback config")]
    service = read_state(settings.data_dir) if has_service(settings.data_dir) else None
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "data directory": lambda: data_directory.findings(settings.data_dir, settings.max_queue_bytes),
        "queue": lambda: queues.findings(settings.data_dir, is_running=service is not None),
        "rejected": lambda: rejected.findings(settings.data_dir),
        "ports": lambda: ports.findings(settings, service),
        "database": lambda: database.findings(settings, service),
        "counters": lambda: counters.findings(service) if service else iter(()),
    }
    found = [Finding("settings", "ok", f"readable ({_sources()})")]
    for check, findings in checks.items():
        try:
            found += findings()
        except OSError as error:
            found.append(Finding(check, "failed", str(error), "Run this as the user that runs the service"))
    return found


def _sources() -> str:
    file = Path(os.environ.get(PREFIX + "CONFIG") or DEFAULT_FILE)
    variables = sum(name.startswith(PREFIX) for name in os.environ)
    return f"{variables} OTEL_FEEDBACK_* variable(s), {file if file.exists() else f'no {file}'}"
