"""Finds the service that has a data directory: what it says of itself there, for commands of the same user."""

from __future__ import annotations

import fcntl
import json
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

LOCK_FILE: Final = "service.lock"
"""Locked (flock, exclusive) by the service as long as it runs; the lock goes with the process, however it dies."""
STATE_FILE: Final = "service.json"
"""Written once the service is ready, readable by its user alone."""
STARTING_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What a ready service says of itself.

    Attributes:
        grpc, http, dashboard: addresses as URLs.
        api_token: opens the dashboard's JSON API.
        certificate: path of the PEM file that it shows, "" without TLS.
    """

    pid: int
    grpc: str
    http: str
    dashboard: str
    api_token: str = field(repr=False)
    certificate: str = ""

    def trust(self) -> ssl.SSLContext | None:
        """Trusts the service's own certificate and no other, whatever name is in it; None without TLS.

        The service is on this machine, and its certificate is often for another name.

        Raises:
            OSError: the certificate can't be read.
        """
        if not self.certificate:
            return None
        trust = ssl.create_default_context(cafile=self.certificate)
        trust.check_hostname = False
        trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return trust


def find_service(data_dir: Path, *, patience_seconds: float = STARTING_SECONDS) -> ServiceState | None:
    """The service that has this directory, or None. One that is just starting is waited for."""
    deadline = time.monotonic() + patience_seconds
    while has_service(data_dir):
        state = read_state(data_dir)
        if state is not None:
            return state
        if time.monotonic() > deadline:
            return None
        time.sleep(_POLL_SECONDS)
    return None


def read_state(data_dir: Path) -> ServiceState | None:
    """What the last service wrote, whether it still runs or not; None where there is nothing."""
    try:
        content = json.loads((data_dir / STATE_FILE).read_text(encoding="utf-8"))
        return ServiceState(**{name: content[name] for name in ServiceState.__slots__})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def has_service(data_dir: Path) -> bool:
    """Whether a service has this directory, ready or not."""
    try:
        file = (data_dir / LOCK_FILE).open("rb")
    except OSError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
