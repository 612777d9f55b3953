"""The certificates that the ports show, and the authority whose clients they take: replaced while ports are open.

New connections get the new ones, those that are open keep what they began with. Nothing is put in force that could not
be served with: a certificate without its key, or a file that is half written, leaves what was there.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc  # type: ignore[import-untyped]  # grpcio ships no types

from otel_feedback.errors import ConfigurationError
from otel_feedback.settings import Settings

_NO_PASSPHRASE: Final = ""
"""For a key that has one OpenSSL would ask the terminal."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """PEM, and the same for Python's servers: ``for_otlp`` asks for client certificates, ``for_browsers`` does not."""

    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None
    for_otlp: ssl.SSLContext
    for_browsers: ssl.SSLContext


class Certificates:
    """Those of OTEL_FEEDBACK_TLS_CERT, _TLS_KEY and _TLS_CLIENT_CA; of ports without TLS there are none.

    Raises:
        ConfigurationError: the files are no certificate with its key.
    """

    def __init__(self, settings: Settings) -> None:
        self._shown = read(settings)
        self._is_new_to_grpc = False
        self.for_otlp = self._doorkeeper("for_otlp")
        """Verifies a client's certificate if one is shown and an authority is set. None without TLS."""
        self.for_browsers = self._doorkeeper("for_browsers")
        """None without TLS."""

    def prepare(self, settings: Settings) -> Callable[[], None]:
        """What puts the certificates that are in the files now in force.

        Raises:
            ConfigurationError: as at the start.
        """
        found = read(settings)

        def use() -> None:
            self._shown, self._is_new_to_grpc = found, True

        return use

    def for_grpc(self) -> Any:
        """Credentials of gRPC's that follow; with an authority they ask every client for its own. None without TLS."""
        if self._shown is None:
            return None
        return grpc.dynamic_ssl_server_credentials(
            self._grpc_configuration(),
            self._newest_for_grpc,
            require_client_authentication=self._shown.client_ca is not None,
        )

    def _newest_for_grpc(self) -> Any:
        """Asked by gRPC before each handshake, in a thread of its own; None: as the last time."""
        if not self._is_new_to_grpc:
            return None
        self._is_new_to_grpc = False
        return self._grpc_configuration()

    def _grpc_configuration(self) -> Any:
        assert self._shown is not None  # noqa: S101  # asked only where there is TLS
        pairs = [(self._shown.key, self._shown.certificate)]
        return grpc.ssl_server_certificate_configuration(pairs, self._shown.client_ca)

    def _doorkeeper(self, name: str) -> ssl.SSLContext | None:
        """A context that hands each connection, when it says hello, to the context that is in force."""
        if self._shown is None:
            return None
        context: ssl.SSLContext = getattr(self._shown, name)

        def hand_over(connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = getattr(self._shown, name)

        context.sni_callback = hand_over  # called without a name as well
        return context


def read(settings: Settings) -> _Shown | None:
    """What the files hold; None where no certificate is set.

    Raises:
        ConfigurationError: names the setting, and what is wrong with its file.
    """
    certificate, key, client_ca = settings.tls_cert, settings.tls_key, settings.tls_client_ca
    if bool(certificate) != bool(key):
        raise ConfigurationError("OTEL_FEEDBACK_TLS_CERT and OTEL_FEEDBACK_TLS_KEY belong together: set both or none")
    if client_ca and not certificate:
        raise ConfigurationError("OTEL_FEEDBACK_TLS_CLIENT_CA needs OTEL_FEEDBACK_TLS_CERT and _TLS_KEY too")
    if not certificate:
        return None
    before = _bytes(certificate, key, client_ca)
    for_otlp, for_browsers = (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(2))
    for context in (for_otlp, for_browsers):
        try:
            context.load_cert_chain(certificate, key, _NO_PASSPHRASE)
        except OSError as error:  # SSLError is one
            raise ConfigurationError(f"OTEL_FEEDBACK_TLS_CERT and _TLS_KEY must name PEM files: {error}") from None
    if client_ca:
        try:
            for_otlp.load_verify_locations(client_ca)
        except OSError as error:
            raise ConfigurationError(f"OTEL_FEEDBACK_TLS_CLIENT_CA must name a PEM file: {error}") from None
        for_otlp.verify_mode = ssl.CERT_OPTIONAL
        # A session that is taken up again is not verified anew, though its authority may be gone by then.
        for_otlp.options |= ssl.OP_NO_TICKET
        for_otlp.num_tickets = 0
    if _bytes(certificate, key, client_ca) != before:
        raise ConfigurationError("The files of OTEL_FEEDBACK_TLS_CERT and its key changed while they were read")
    return _Shown(before[0] or b"", before[1] or b"", before[2], for_otlp, for_browsers)


def _bytes(*paths: str) -> list[bytes | None]:
    try:
        return [Path(path).read_bytes() if path else None for path in paths]
    except OSError as error:
        raise ConfigurationError(
            f"OTEL_FEEDBACK_TLS_CERT, _TLS_KEY and _TLS_CLIENT_CA must name PEM files: {error}"
        ) from None
