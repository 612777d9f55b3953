"""Bind an address, or say in one line why it can't be bound and what to do."""

from __future__ import annotations

import errno
import socket

from otel_feedback.errors import ConfigurationError
from otel_feedback.settings import Address


def bind(address: Address, variable: str) -> socket.socket:
    """A bound socket, not yet listening.

    Raises:
        ConfigurationError: the address is in use or is none of this machine's; the text names ``variable``.
    """
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(f"{address} can't be listened on: {error.strerror}. Set {variable}") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(target)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise address_in_use(address, variable) from None
        raise ConfigurationError(
            f"{address} can't be listened on: {error.strerror}. Set {variable} to an address of this machine"
        ) from None
    return bound


def address_in_use(address: Address, variable: str) -> ConfigurationError:
    """The error for a busy port."""
    return ConfigurationError(f"{address} is in use (another service?). Stop it, or set {variable} to another address.")
