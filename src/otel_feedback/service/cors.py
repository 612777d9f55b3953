"""Which pages of other origins may send OTLP: those of OTEL_FEEDBACK_ALLOWED_ORIGINS, as for ratings.

OpenTelemetry's web SDK sends from pages. Its requests are never "simple" ones: OTLP's content types make a browser ask
first, so a page that is not allowed can't send at all.
"""

from __future__ import annotations

from starlette.requests import Request

_CACHED_SECONDS = "600"


class AllowedOrigins:
    """Answers the browser's question whether a page may send."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._origins = frozenset(origin.rstrip("/") for origin in origins)

    def headers(self, request: Request) -> dict[str, str]:
        """What goes into the answer, also into an error's; empty for requests of no page."""
        origin = request.headers.get("origin")
        if origin is None:
            return {}
        if origin not in self._origins:
            return {"Vary": "Origin"}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "Retry-After", "Vary": "Origin"}

    def preflight_headers(self, request: Request) -> dict[str, str]:
        """The answer to OPTIONS. Allowed pages may send whatever headers their exporter is configured with."""
        headers = self.headers(request)
        if "Access-Control-Allow-Origin" in headers:
            headers["Access-Control-Allow-Methods"] = "POST"
            headers["Access-Control-Allow-Headers"] = request.headers.get("access-control-request-headers", "*")
            headers["Access-Control-Max-Age"] = _CACHED_SECONDS
        return {"Allow": "POST, OPTIONS", **headers}
