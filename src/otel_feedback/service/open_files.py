"""Allow as many open files as the system lets this process have: every connection is one."""

from __future__ import annotations

import contextlib
import resource
from typing import Final

WANTED: Final = 65536


def raise_open_files_limit() -> None:
    """Raise the soft limit, which is often 1024, towards the hard one, as every Go program does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft == resource.RLIM_INFINITY or soft >= target:
        return
    with contextlib.suppress(ValueError, OSError):  # macOS has a limit of its own below the hard one
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
