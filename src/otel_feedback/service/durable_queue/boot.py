"""Whether the machine was started anew since a queue was last used."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from otel_feedback.service.durable_queue.files import write_durably

_MARK: Final = "boot"
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def note_boot(directory: Path, boot_id_file: Path = _BOOT_ID) -> bool:
    """Write down in which boot the queue is used; whether the last use was in another one, or nobody knows.

    ``boot_id_file`` is Linux's random id of this boot; without one every start counts as a new boot.
    """
    mark = directory / _MARK
    try:
        now = boot_id_file.read_bytes()
    except OSError:
        return True
    before = mark.read_bytes() if mark.exists() else b""
    if before != now:
        write_durably(mark, now)
    return before != now
