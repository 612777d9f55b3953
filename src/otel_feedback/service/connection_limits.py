"""How long and how much a connection may ask of the OTLP ports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Generous to slow clients, short for those that hold a connection and send nothing.

    Attributes:
        head_seconds: HTTP: from a request's first byte, or from connecting, to the end of its headers.
        head_bytes: HTTP: request line and headers together.
        idle_seconds: HTTP: between two requests. Exporters send every 5 to 60 seconds; one that meets a connection
            just being closed reports an error.
        body_pause_seconds: HTTP: between two pieces of a body.
        body_seconds: from the headers to the end of a body, or of a gRPC message.
        age_seconds: gRPC: a connection is ended gracefully after about this time, so that the clients of a load
            balancer spread over new instances; calls under way have ``body_seconds`` left.
        shortest_ping_seconds: gRPC: clients that ping more often are told to stop; without calls they may ping too.
        silence_seconds: gRPC: the service pings a client that has sent nothing for so long.
        pong_seconds: gRPC: a client that does not answer the ping by then is gone.
    """

    head_seconds: float = 15.0
    head_bytes: int = 64 << 10
    idle_seconds: float = 75.0
    body_pause_seconds: float = 30.0
    body_seconds: float = 300.0
    age_seconds: float = 600.0
    shortest_ping_seconds: float = 10.0
    silence_seconds: float = 60.0
    pong_seconds: float = 20.0


DEFAULT_CONNECTION_LIMITS = ConnectionLimits()
