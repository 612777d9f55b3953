"""The service: queues, writers and receivers, started and stopped in the right order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.segments import Signal
from otel_feedback.errors import ConfigurationError, DatabaseError
from otel_feedback.feedback_api import FeedbackApi, RatingStore
from otel_feedback.rate_limit import RequestLimits
from otel_feedback.redaction import load_redactor
from otel_feedback.service import certificates, rejected
from otel_feedback.service.bearer import BearerTokens
from otel_feedback.service.body_budget import BodyBudget
from otel_feedback.service.certificates import Certificates
from otel_feedback.service.data_directory import unusable
from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.durable_queue.segment_log import Limits
from otel_feedback.service.feedback import ServiceRatingStore
from otel_feedback.service.http_server import HttpServer
from otel_feedback.service.ingest_health import IngestHealth, tell_health
from otel_feedback.service.intake import Intake
from otel_feedback.service.otlp_request import OtlpSignal
from otel_feedback.service.queue_depths import QueueDepths
from otel_feedback.service.receiver_grpc import GrpcReceiver
from otel_feedback.service.receiver_http import create_http_app
from otel_feedback.service.stored_ratings import StoredRatings
from otel_feedback.service.sweeper import Sweeper
from otel_feedback.service.telemetry import Telemetry
from otel_feedback.service.writer import Writer
from otel_feedback.settings import Address, Settings
from otel_feedback.tokens import Keyring

logger = logging.getLogger(__name__)

SIGNALS: Final[tuple[Signal, ...]] = ("traces", "logs")
ANSWER_GRACE_SECONDS: Final = 3.0
WRITERS_PER_QUEUE: Final = 2
"""One INSERT keeps one core of ClickHouse's busy. What is written first makes no difference to any view."""
STOP_SECONDS: Final = 15.0
PING_SECONDS: Final = 2.0
REPLAY_POLL_SECONDS: Final = 1.0
"""How often the queues are looked into for what a person put back from ``rejected/``."""


def addresses_of(settings: Settings) -> tuple[tuple[Address, str], ...]:
    """The addresses of the OTLP ports, each with its environment variable."""
    return (
        (settings.grpc_address, "OTEL_FEEDBACK_GRPC_ADDRESS"),
        (settings.http_address, "OTEL_FEEDBACK_HTTP_ADDRESS"),
    )


def check_addresses(settings: Settings) -> None:
    """Refuse addresses that other machines can reach while nothing asks who is calling, and certificates that are none.

    Raises:
        ConfigurationError: names the address and the setting that is missing, or the file that can't be read.
    """
    for address, variable in addresses_of(settings):
        if not address.is_loopback and not settings.ingest_tokens and not settings.tls_client_ca:
            raise ConfigurationError(
                f"{variable}={address} can be reached from other machines. "
                "Set OTEL_FEEDBACK_INGEST_TOKENS or OTEL_FEEDBACK_TLS_CLIENT_CA, or listen on 127.0.0.1"
            )
    certificates.read(settings)


class Service:
    """Receives OTLP and ratings, and writes them to the database; the data directory must be locked by the caller."""

    def __init__(self, settings: Settings, database: Database) -> None:
        check_addresses(settings)
        database.check_segment_directory(settings.data_dir)
        self._settings = settings
        self._database = database
        self._telemetry = Telemetry()
        data_dir = settings.data_dir
        rejected_dir = data_dir / rejected.DIRECTORY
        limits = Limits(total_bytes=settings.max_queue_bytes)
        self._queues: dict[Signal, DurableQueue] = {
            signal: DurableQueue(
                data_dir / "queue" / signal,
                rejected_dir / signal,
                signal=signal,
                telemetry=self._telemetry,
                limits=limits,
            )
            for signal in SIGNALS
        }
        self._writers = [
            Writer(signal, queue, database, self._telemetry)
            for signal, queue in self._queues.items()
            for _ in range(WRITERS_PER_QUEUE)
        ]
        by_signal: Mapping[OtlpSignal, DurableQueue] = {"traces": self._queues["traces"], "logs": self._queues["logs"]}
        intake = Intake(by_signal, self._telemetry)
        logs, redact = self._queues["logs"], load_redactor(settings.redact)
        self.annotations: RatingStore = ServiceRatingStore(
            logs, database, self._telemetry, redact, spans=self._queues["traces"]
        )
        """Takes the ratings that annotators give on the dashboard."""
        self._feedback_api = FeedbackApi(
            Keyring(settings.signing_keys),
            ServiceRatingStore(logs, database, self._telemetry, redact),
            allowed_origins=settings.allowed_origins,
            capture_comments=settings.capture_comments,
            limits=RequestLimits(settings.votes_per_minute, settings.requests_per_minute),
        )
        budget = BodyBudget(settings.max_request_bytes)
        self._tokens = BearerTokens(settings.ingest_tokens)
        self.certificates = Certificates(settings)
        app = create_http_app(
            settings,
            intake,
            budget,
            self._tokens,
            self._feedback_api,
            readiness=self._readiness,
            exposition=self._telemetry.exposition,
        )
        self._grpc = GrpcReceiver(settings, intake, budget, self._tokens, self.certificates)
        self._http = HttpServer(
            app, settings.http_address, "OTEL_FEEDBACK_HTTP_ADDRESS", tls=self.certificates.for_otlp
        )
        self._stored_ratings = StoredRatings(database)
        self._sweeper = Sweeper(database, settings, self._telemetry.retention)
        self._telemetry.add_collector(QueueDepths(self._queues))
        self._telemetry.add_collector(self._stored_ratings)
        self._is_accepting = False
        self._pinging: asyncio.Future[None] | None = None
        self._adopting: asyncio.Task[None] | None = None

    @property
    def addresses(self) -> dict[str, str]:
        """The bound addresses by protocol (``grpc``, ``http``) as URLs, with the ports that were picked."""
        scheme = "https" if self._settings.tls_cert else "http"
        return {
            "grpc": f"{scheme}://{Address(self._settings.grpc_address.host, self._grpc.port)}",
            "http": self._http.url,
        }

    def prepare(self, settings: Settings) -> Callable[[], None]:
        """What lets the tokens, keys and certificates of these settings count from now on, and no others.

        Raises:
            ConfigurationError: the service could not be started with them.
        """
        check_addresses(settings)
        use_certificates = self.certificates.prepare(settings)
        keyring = Keyring(settings.signing_keys)

        def use() -> None:
            self._tokens.use(settings.ingest_tokens)
            self._feedback_api.use(keyring)
            use_certificates()

        return use

    def health(self) -> IngestHealth:
        """How ingest is doing now; costs next to nothing."""
        return tell_health(self._telemetry, self._queues, is_accepting=self._is_accepting)

    async def start(self) -> None:
        """Recover the queues, then receive.

        Raises:
            ConfigurationError: an address can't be bound.
            DataDirectoryError: the queue's directories can't be used.
        """
        try:
            for queue in self._queues.values():
                await asyncio.to_thread(queue.start)
        except OSError as error:
            raise unusable(self._settings.data_dir, error) from None
        await self._grpc.start()
        await self._http.start()
        self._is_accepting = True
        self._adopting = asyncio.create_task(self._adopt_replays())

    def start_writing(self) -> None:
        """Write to the database, which must be migrated: a table without its views would keep rows from them."""
        for writer in self._writers:
            writer.start()
        self._stored_ratings.start()
        self._sweeper.start()

    async def stop(self) -> None:
        """Answer what is under way, make it durable, write it to the database, and end within some 20 seconds.

        What the database does not take in time stays in the queue for the next start; nothing is lost.
        """
        self._is_accepting = False
        if self._adopting is not None:
            self._adopting.cancel()
        deadline = time.monotonic() + STOP_SECONDS
        await asyncio.gather(self._grpc.stop(ANSWER_GRACE_SECONDS), self._http.stop())
        if not await asyncio.to_thread(self._drain, deadline):
            logger.warning("the database did not take everything in time; the rest is written after the next start")

    def _drain(self, deadline: float) -> bool:
        """Close the queues and write what is in them; whether all of it was written in time."""
        for queue in self._queues.values():
            queue.close(max(0.0, deadline - time.monotonic()))
        were_done = [writer.stop(max(0.0, deadline - time.monotonic())) for writer in self._writers]
        self._sweeper.stop(1.0)
        self._stored_ratings.stop(max(1.0, deadline - time.monotonic()))
        return all(were_done)

    async def _adopt_replays(self) -> None:
        while True:
            await asyncio.sleep(REPLAY_POLL_SECONDS)
            for signal, queue in self._queues.items():
                try:
                    adopted = await asyncio.to_thread(queue.adopt_replays)
                except OSError as error:
                    logger.error("rejected %s can't be taken back yet: %s", signal, error)  # noqa: TRY400  # one line
                else:
                    if adopted:
                        logger.info("%d rejected file(s) of %s were put back into the queue", adopted, signal)

    async def _readiness(self) -> tuple[bool, dict[str, Any]]:
        """Ready means that requests are taken. They are while the database is away, for as long as the queue holds.

        A full queue is told, but makes nothing unready: the other signal is still taken, and ratings with it.
        """
        fullness = {signal: round(queue.depth().fullness, 4) for signal, queue in self._queues.items()}
        return self._is_accepting, {"database": await self._database_state(), "queue_fullness": fullness}

    async def _database_state(self) -> str:
        """One question at a time: one that a database does not answer holds a thread for minutes."""
        if self._pinging is None or self._pinging.done():
            self._pinging = asyncio.ensure_future(asyncio.to_thread(self._database.ping))
        await asyncio.wait([self._pinging], timeout=PING_SECONDS)
        if not self._pinging.done():
            return f"unavailable: no answer within {PING_SECONDS:g} s"
        error = self._pinging.exception()
        if isinstance(error, DatabaseError):
            return f"unavailable: {error}"
        if error is not None:
            raise error
        return "ok"
