"""The ports: of a service that runs, whether they answer; else, whether they are free."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from otel_feedback.doctor.finding import Finding
from otel_feedback.errors import ConfigurationError
from otel_feedback.running_service import ServiceState, has_service
from otel_feedback.service.listening import bind
from otel_feedback.service.run import addresses_of
from otel_feedback.settings import Address, Settings

TIMEOUT_SECONDS: Final = 10.0


def get(url: str) -> bytes:
    """The body of an answer of the service on this machine, past any proxy; its certificate names another host.

    Raises:
        OSError: it does not answer, or not with 200.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
        return bytes(answer.read())


def findings(settings: Settings, service: ServiceState | None) -> Iterator[Finding]:
    """Whether the service is ready, or could be."""
    if service is not None:
        yield _readiness(service)
        yield _grpc(service)
    elif has_service(settings.data_dir):
        yield Finding(
            "service", "warning", f"one has {settings.data_dir}, but is not ready yet", "Wait, and see its log"
        )
    else:
        yield Finding("service", "ok", "does not run; to start it: otel-feedback serve")
        for address, variable in (
            *addresses_of(settings),
            (settings.dashboard_address, "OTEL_FEEDBACK_DASHBOARD_ADDRESS"),
        ):
            yield _port(address, variable)


def _readiness(service: ServiceState) -> Finding:
    try:
        answer = json.loads(get(f"{service.http}/readyz"))
    except urllib.error.HTTPError as error:
        return Finding("service", "failed", f"{service.http}/readyz says HTTP {error.code}", "See the service's log")
    except (OSError, ValueError) as error:
        return Finding(
            "service",
            "failed",
            f"pid {service.pid} has the data directory, but {service.http}/readyz does not answer: {error}",
            "See the service's log; restart it if it hangs. What it acknowledged is on disk",
        )
    if answer.get("database") != "ok":
        return Finding(
            "service",
            "warning",
            f"pid {service.pid} takes requests at {service.http}, but its database is {answer.get('database')}",
            "The queue holds what comes until the database is back; see below",
        )
    return Finding("service", "ok", f"pid {service.pid} takes requests at {service.http} and {service.grpc}")


def _grpc(service: ServiceState) -> Finding:
    parts = urlsplit(service.grpc)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=TIMEOUT_SECONDS).close()
    except OSError as error:
        return Finding("OTLP/gRPC", "failed", f"{service.grpc} can't be connected to: {error}", "See the service's log")
    return Finding("OTLP/gRPC", "ok", f"{service.grpc} takes connections")


def _port(address: Address, variable: str) -> Finding:
    name = variable.removeprefix("OTEL_FEEDBACK_").removesuffix("_ADDRESS").lower()
    try:
        bind(address, variable).close()
    except ConfigurationError as error:
        return Finding(f"port of {name}", "failed", f"{error}{_holder(address.port)}")
    return Finding(f"port of {name}", "ok", f"{address} is free" if address.port else f"any free one of {address.host}")


def _holder(port: int) -> str:
    """Who listens on a port, as far as Linux tells this user; else ""."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if Path(table).exists():
            rows = [line.split() for line in Path(table).read_text(encoding="ascii").splitlines()[1:]]
            inodes |= {row[9] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port}
    for link in Path("/proc").glob("[0-9]*/fd/*") if inodes else ():
        try:
            target = str(link.readlink())
            if target.startswith("socket:[") and target[8:-1] in inodes:
                command = (link.parents[1] / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                return f" It is held by pid {link.parts[2]}: {command.strip()[:120]}"
        except OSError:
            continue
    return ""
