"""``otel-feedback alert``: tell a webhook what is wrong, for people without Prometheus."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from otel_feedback.alerts import state, webhook
from otel_feedback.alerts.conditions import Alert, Thresholds, falling, of_service, silent
from otel_feedback.errors import DatabaseError, OtelFeedbackError, UsageError
from otel_feedback.running_service import find_service
from otel_feedback.settings import Settings

if TYPE_CHECKING:
    from otel_feedback.alerts.state import Firing

SUMMARY: Final = "tell a webhook when satisfaction falls, ratings go silent or the queue is stuck, and when it is over"
EXAMPLE: Final = "otel-feedback alert --webhook https://hooks.example/T0 --secret-file /run/secrets/hook --every 5m"
_BY_SQL: Final = ("OtelFeedbackSatisfactionFalls", "OtelFeedbackRatingsSilent")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--webhook", metavar="URL", help="where to post; without it, nothing is told but here")
    parser.add_argument(
        "--webhook-file", metavar="FILE", type=Path, help="a file with that URL, which is often a secret"
    )
    parser.add_argument("--slack", action="store_true", help="post {text: ...} alone, as Slack's webhooks take it")
    parser.add_argument(
        "--secret-file", metavar="FILE", type=Path, help="a file with the secret that signs what is posted"
    )
    parser.add_argument("--every", metavar="TIME", help="look again and again, e.g. every 5m; without it, once")
    parser.add_argument(
        "--service", metavar="URL", help="OTLP/HTTP address of the service (default: of the data directory)"
    )
    parser.add_argument(
        "--state", metavar="FILE", type=Path, help="what fires (default: alerts.json in the data directory)"
    )
    parser.add_argument("--dry-run", action="store_true", help="post nothing, keep nothing")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    for each in dataclasses.fields(Thresholds):
        option, default = f"--{each.name.replace('_', '-')}", each.default
        parser.add_argument(option, type=type(default), default=default, metavar="N", help=f"default: {default}")


def run(arguments: argparse.Namespace) -> int:
    """Look and tell: 0 if all is well, 1 if something fires, 2 if that can't be found out or told.

    Raises:
        UsageError: the arguments can't be meant.
    """
    limits = Thresholds(**{each.name: getattr(arguments, each.name) for each in dataclasses.fields(Thresholds)})
    every = re.fullmatch(r"([1-9]\d*)([smh])", arguments.every) if arguments.every else None
    if arguments.every and every is None:
        raise UsageError(f"--every {arguments.every!r} can't be read; write e.g. 30s, 5m or 1h")
    url = _secret(arguments.webhook_file).decode() if arguments.webhook_file else arguments.webhook
    if url is not None and not url.startswith(("https://", "http://")):
        raise UsageError("the webhook's address must begin with https:// or http://")
    secret = _secret(arguments.secret_file) if arguments.secret_file else None
    while True:
        try:
            code = _look(arguments, limits, url, secret)
        except OtelFeedbackError as error:
            print(f"otel-feedback alert: {error}", file=sys.stderr)
            code = 2
        if every is None:
            return code
        sys.stdout.flush()
        time.sleep(int(every[1]) * _SECONDS[every[2]])


def _look(arguments: argparse.Namespace, limits: Thresholds, url: str | None, secret: bytes | None) -> int:
    settings = Settings.load()
    file = arguments.state or settings.data_dir / "alerts.json"
    told = state.read(file)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    firing: Firing = {}
    found, asked = _found(settings, arguments.service, limits)
    if not asked:  # what the database said last holds until it says something else
        firing |= {key: each for key, each in told.items() if each["alert"] in _BY_SQL}
    for alert in found:
        since = told[alert.key]["since"] if alert.key in told else now
        firing[alert.key] = {**dataclasses.asdict(alert), "runbook_url": alert.runbook_url, "since": since}
    changes = [{"status": "firing", **firing[key]} for key in firing.keys() - told.keys()]
    changes += [{"status": "resolved", **told[key]} for key in told.keys() - firing.keys()]
    changes.sort(key=lambda each: (each["status"], each["alert"], each["subject"]))
    if arguments.format == "json":
        print(json.dumps({"firing": list(firing.values()), "changes": changes}, ensure_ascii=False))
    else:
        print("\n".join(f"{each['alert']}: {each['summary']}" for each in firing.values()) or "All is well.")
    if changes and not arguments.dry_run:
        if url is not None:
            text = "\n".join(f"{each['status']}: {each['summary']} ({each['runbook_url']})" for each in changes)
            webhook.post(url, {"text": text} if arguments.slack else {"text": text, "alerts": changes}, secret)
        state.write(file, firing)
    return 1 if firing else 0


def _found(settings: Settings, service: str | None, limits: Thresholds) -> tuple[list[Alert], bool]:
    from otel_feedback.alerts import service_metrics  # noqa: PLC0415  # --help needs no service

    running = None if service else find_service(settings.data_dir)
    address = service or (running.http if running else "")
    metrics = service_metrics.read(address) if address else None
    if metrics is None:
        found = [Alert("OtelFeedbackDown", "", "the service does not answer")]
    else:
        found = of_service(metrics, limits)
    try:
        rows = _rows(settings, "satisfaction_changes", since="8d", recent_days="1")
        before = _rows(settings, "satisfaction_by_service", since="7d", until="6h")
        recent = _rows(settings, "satisfaction_by_service", since="6h")
    except DatabaseError:
        if metrics is None:
            raise
        return [*found, Alert("OtelFeedbackDatabaseBehind", "database", "the database can't be asked")], False
    return [*found, *falling(rows, limits), *silent(before, recent, limits)], True


def _rows(settings: Settings, name: str, **given: str) -> list[dict[str, Any]]:
    from otel_feedback.clickhouse import questions  # noqa: PLC0415  # --help needs no database
    from otel_feedback.dashboard.sql_client import ask  # noqa: PLC0415

    question = questions.find(name)
    answer = ask(settings, question.statement, question.values(given, datetime.now(UTC)), format_name="JSONEachRow")
    return [json.loads(line) for line in answer.splitlines() if line]


def _secret(file: Path) -> bytes:
    try:
        content = file.read_bytes().strip()
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}") from error
    if not content:
        raise UsageError(f"{file} is empty")
    return content
