"""What lies in ``rejected/``, as one finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from otel_feedback.doctor.finding import Finding, size_text
from otel_feedback.service.rejected import rejected_files


def findings(data_dir: Path) -> Iterator[Finding]:
    """How much, and why."""
    found = rejected_files(data_dir)
    if not found:
        yield Finding("rejected", "ok", "nothing was rejected")
        return
    causes = Counter(f"ClickHouse's code {each.code}" if each.code else "damage" for each in found)
    told = ", ".join(f"{count} for {cause}" for cause, count in causes.most_common())
    requests = sum(each.requests for each in found)
    yield Finding(
        "rejected",
        "warning",
        f"{len(found)} file(s) with {requests} request(s), {size_text(sum(each.size_bytes for each in found))}: {told}",
        "See why: otel-feedback doctor rejected. Once the cause is mended: otel-feedback doctor rejected replay --all",
    )
