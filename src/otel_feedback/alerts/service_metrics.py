"""What the running service tells over ``/metrics``, as far as alerts need it."""

from __future__ import annotations

import urllib.request
from http.client import HTTPException
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

_NAMESPACE: Final = "otel_feedback_"
_TIMEOUT_SECONDS: Final = 15


def read(http: str) -> dict[str, float] | None:
    """The oldest segment's age, what was rejected, and ratings in all and waiting; None if nobody answers."""
    try:
        with urllib.request.urlopen(f"{http.rstrip('/')}/metrics", timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310  # the operator's own
            text = answer.read().decode("utf-8")
        families = list(text_string_to_metric_families(text))
    except (OSError, ValueError, HTTPException):  # what is cut off or no HTTP is no answer either
        return None
    told = {"oldest_segment_age_seconds": 0.0, "segments_rejected_total": 0.0, "waiting": 0.0, "ratings": 0.0}
    for family in families:
        for sample in family.samples:
            name = sample.name.removeprefix(_NAMESPACE)
            if name == "oldest_segment_age_seconds":
                told[name] = max(told[name], sample.value)
            elif name == "segments_rejected_total":
                told[name] += sample.value
            elif name == "stored_ratings":
                told["ratings"] += sample.value
                if sample.labels["state"] == "waiting":
                    told["waiting"] += sample.value
    return told
