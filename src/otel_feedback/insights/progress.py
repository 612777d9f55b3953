"""A progress bar for what takes longer than two seconds, on a terminal; none where standard error goes elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from tqdm import tqdm

DELAY_SECONDS: Final = 2.0


@contextmanager
def progress(total: int, unit: str, about: str) -> Iterator[Callable[[int], object]]:
    """Show how much of ``total`` is done; call what it yields with how much has been added."""
    with tqdm(
        total=total, unit=unit, desc=about, delay=DELAY_SECONDS, disable=None, leave=False, file=sys.stderr
    ) as bar:
        yield bar.update
