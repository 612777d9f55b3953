"""Whether the machine was started anew since a queue was last used."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from otel_feedback.service.durable_queue.files import write_durably

_MARK: Final = "boot"
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def is_another_boot(directory: Path, boot_id_file: Path = _BOOT_ID) -> bool:
    """Whether the last use of the queue that was noted was in another boot than this one, or nobody knows.

    ``boot_id_file`` is Linux's random id of this boot; without one every start counts as a new boot.
    """
    mark = directory / _MARK
    now = _boot_id(boot_id_file)
    return now is None or not mark.exists() or mark.read_bytes() != now


def note_boot(directory: Path, boot_id_file: Path = _BOOT_ID) -> None:
    """Write down, durably, that the queue is used in this boot."""
    now = _boot_id(boot_id_file)
    if now is not None:
        write_durably(directory / _MARK, now)


def _boot_id(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None
