"""``otel-feedback serve``: receiver, writer and dashboard in one process."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import secrets
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

from otel_feedback.errors import OtelFeedbackError
from otel_feedback.running_service import ServiceState
from otel_feedback.settings import LogFormat, Settings

if TYPE_CHECKING:
    from otel_feedback.clickhouse.database import Database
    from otel_feedback.service.data_directory import DataDirectory
    from otel_feedback.service.rotation import Rotation
    from otel_feedback.service.run import Service

SUMMARY: Final = "receive OTLP and ratings, store them in ClickHouse, show the dashboard"
EXAMPLE: Final = "OTEL_FEEDBACK_SIGNING_KEYS=change-me otel-feedback serve"
DASHBOARD_VARIABLE: Final = "OTEL_FEEDBACK_DASHBOARD_ADDRESS"
LAST_SECONDS: Final = 2.0

logger = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Every setting comes from the environment or the TOML file; see ``otel-feedback config``."""
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; a second one ends the process at once, which loses nothing either.

    Raises:
        OtelFeedbackError: the service can't start; nothing keeps running.
    """
    from otel_feedback.service.untraced import undo_instrumentation  # noqa: PLC0415  # --help needs no service

    undone = undo_instrumentation()  # before anything imports what was instrumented
    from otel_feedback.dashboard.access import Access  # noqa: PLC0415  # as above
    from otel_feedback.service.data_directory import DataDirectory  # noqa: PLC0415  # as above
    from otel_feedback.service.log_lines.configure import configure_logging  # noqa: PLC0415  # as above
    from otel_feedback.service.open_files import raise_open_files_limit  # noqa: PLC0415  # as above
    from otel_feedback.service.rotation import Rotation  # noqa: PLC0415  # as above

    raise_open_files_limit()
    settings = Settings.load()
    redaction = configure_logging(settings, arguments.log_level)
    rotation = Rotation(settings, redaction.hide)
    _tell_undone(undone)
    Access(settings, "")  # refuses an address that needs another token, before anything starts
    with DataDirectory(settings.data_dir) as data_directory:
        _run_event_loop(settings, data_directory, rotation)
    return 0


def _tell_undone(undone: dict[str, Exception | None]) -> None:
    if undone:
        logger.warning(
            "the service makes no OpenTelemetry of its own, since it would receive it without end. "
            "Undone: the instrumentation of %s. Watch /metrics instead",
            ", ".join(sorted(undone)),
        )
    for name, error in undone.items():
        if error is not None:
            logger.warning("the instrumentation of %s could not be undone; start without it: %r", name, error)


def _run_event_loop(settings: Settings, data_directory: DataDirectory, rotation: Rotation) -> None:
    import uvloop  # noqa: PLC0415  # as in run

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_serve(settings, data_directory, rotation))
        except OtelFeedbackError as error:
            _end_soon(1, f"otel-feedback serve: {error}")
            raise
        _end_soon(0, "ending without the answers that the database still owes")


def _end_soon(code: int, last_words: str) -> None:
    """End the process even if a thread waits for a database that does not answer: everything is on disk by now."""

    def end() -> None:
        time.sleep(LAST_SECONDS)
        print(last_words, file=sys.stderr, flush=True)
        os._exit(code)

    threading.Thread(target=end, name="end", daemon=True).start()


async def _serve(settings: Settings, data_directory: DataDirectory, rotation: Rotation) -> None:
    from otel_feedback.clickhouse.connect import connect_writer  # noqa: PLC0415  # as in run
    from otel_feedback.service.listening import bind  # noqa: PLC0415  # as in run
    from otel_feedback.service.run import Service, addresses_of  # noqa: PLC0415  # as in run
    from otel_feedback.service.schema import SchemaUpdate  # noqa: PLC0415  # as in run

    asked_to_stop = _stop_on_signals()
    for address, variable in (
        *addresses_of(settings),
        (settings.dashboard_address, DASHBOARD_VARIABLE),
    ):
        bind(address, variable).close()  # a busy port is told at once, not after the migrations
    database = connect_writer(settings)
    try:
        service = Service(settings, database)
        schema = SchemaUpdate(database, settings, service.start_writing)
        try:
            await service.start()
            await schema.first_answer(asked_to_stop)
            await _serve_dashboard(settings, data_directory, database, service, rotation, asked_to_stop)
        finally:
            schema.cancel()
            await service.stop()
    finally:
        database.close()


def _stop_on_signals() -> asyncio.Event:
    asked_to_stop = asyncio.Event()

    def stop(number: signal.Signals) -> None:
        if asked_to_stop.is_set():
            logger.warning("asked to stop again: ending at once, what is in the queue is written after the next start")
            os._exit(128 + number)
        asked_to_stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    return asked_to_stop


async def _serve_dashboard(
    settings: Settings,
    data_directory: DataDirectory,
    database: Database,
    service: Service,
    rotation: Rotation,
    asked_to_stop: asyncio.Event,
) -> None:
    from otel_feedback.clickhouse.connect import connect_reader  # noqa: PLC0415  # as in run
    from otel_feedback.dashboard.access import Access  # noqa: PLC0415  # as in run
    from otel_feedback.dashboard.app import create_app  # noqa: PLC0415  # as in run
    from otel_feedback.service.http_server import HttpServer  # noqa: PLC0415  # as in run

    api_token = secrets.token_urlsafe(32)
    access = Access(settings, api_token)
    reader = connect_reader(settings) if settings.reader_database_url else None
    pages = create_app(
        database, settings, access, reader=reader, annotations=service.annotations, tell_health=service.health
    )
    dashboard = HttpServer(pages, settings.dashboard_address, DASHBOARD_VARIABLE, tls=service.certificates.for_browsers)
    await dashboard.start()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, rotation.hurry)
    rotating = asyncio.create_task(rotation.watch(service, access))
    try:
        urls = service.addresses
        state = ServiceState(os.getpid(), urls["grpc"], urls["http"], dashboard.url, api_token, settings.tls_cert)
        data_directory.publish(state)
        _tell_addresses(state, settings.log_format)
        await asked_to_stop.wait()
        logger.info("stopping: answering what is under way and writing the queue to the database")
    finally:
        rotating.cancel()
        await dashboard.stop()
        if reader is not None:
            reader.close()


def _tell_addresses(state: ServiceState, log_format: LogFormat) -> None:
    """For people on standard output; where machines read the log, as a record of it like any other."""
    if log_format == "json":
        addresses = {"grpc": state.grpc, "http": state.http, "dashboard": state.dashboard}
        logger.info("receiving OTLP and ratings", extra=addresses)
        return
    print(f"OTLP/gRPC   {state.grpc}")
    print(f"OTLP/HTTP   {state.http}   ratings at /v1/feedback, the widget at /feedback.js")
    print(f"dashboard   {state.dashboard}", flush=True)
