"""``python tied.py PARENT COMMAND...`` becomes COMMAND, which gets a SIGINT when the process PARENT dies.

However it dies: with SIGKILL nobody is left to end the children. Only Linux tells a process of its parent's death;
elsewhere this starts the command and no more. It is run by its path, without the package, so that it costs a few
milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Tie this process to its parent, then become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)  # stays in force across exec
        if os.getppid() != parent:
            sys.exit("the parent has died already")
    # A shell starts background jobs with SIGINT ignored, and the command would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.execv(command[0], command)  # noqa: S606  # that no shell is involved is the point


if __name__ == "__main__":
    main()
