"""What the app need not wait for when it rates, done by one thread in the order in which it was put here.

A rating's carriers cost some hundred microseconds; ``put`` costs a few. Nothing put here is dropped: where there is no
thread to do it, or too much waits, the caller does it itself, the oldest first.
"""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from otel_feedback.sdk.quiet import report_failure

Work: TypeAlias = Callable[[], object]

MOST_WAITING: Final = 1_000
"""More than this many ratings wait only while the thread is held up, e.g. by a redactor that asks a server."""
THREAD_NAME: Final = "otel-feedback-outbox"
EXIT_TIMEOUT_SECONDS: Final = 10.0
_FORK_TIMEOUT_SECONDS: Final = 1.0


class Outbox:
    """One queue and its thread, which starts with the first work. Correct in forked children and at exit."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[contextvars.Context, Work]] = deque()
        self._doing = threading.RLock()  # reentrant, since what is done here may itself rate
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._has_thread = False
        self._is_closed = False

    def put(self, work: Work) -> None:
        """Have the work done soon, in the caller's context (``contextvars``). Never raises for what the work raises."""
        if len(self._waiting) >= MOST_WAITING:
            self._do_next()
        self._waiting.append((contextvars.copy_context(), work))
        if self._is_closed or not (self._has_thread or self._start()):
            self.drain(EXIT_TIMEOUT_SECONDS)
        elif not self._bell.qsize():
            self._bell.put(None)

    def drain(self, timeout_seconds: float) -> bool:
        """Do, in this thread, what waits now; return within about ``timeout_seconds``.

        Returns:
            Whether all that was put before this call is done.
        """
        ends_at = time.monotonic() + timeout_seconds
        for _ in range(len(self._waiting)):
            remaining = ends_at - time.monotonic()
            if remaining <= 0 or not self._do_next(remaining):
                return False
        # What the thread has begun is done as well once the lock can be had.
        if not self._doing.acquire(timeout=max(0.0, ends_at - time.monotonic())):
            return False
        self._doing.release()
        return True

    def drain_at_exit(self) -> None:
        """Ask to be drained before anything that was registered with ``atexit`` up to now is called."""
        atexit.unregister(self._close)
        atexit.register(self._close)

    def _close(self) -> None:
        """The interpreter ends: do what waits, and what still comes at once."""
        self._is_closed = True
        self.drain(EXIT_TIMEOUT_SECONDS)

    def _do_next(self, timeout_seconds: float = -1) -> bool:
        """Do the oldest work, if there is any; False when that could not begin in time."""
        doing = self._doing
        # Taken and done under the lock: so order is kept, and who has the lock knows that nothing is half done.
        if not doing.acquire(timeout=timeout_seconds):
            return False
        try:
            if self._waiting:
                context, work = self._waiting.popleft()
                context.run(work)
        except Exception as error:  # noqa: BLE001  # telemetry never breaks the app
            report_failure("sending a rating", error)
        finally:
            doing.release()
        return True

    def _start(self) -> bool:
        """Whether there is a thread now."""
        with self._doing:
            if not self._has_thread:
                # As the module is now: gevent may have put its own in the place of Python's since the import.
                self._bell = queue.SimpleQueue()
                thread = threading.Thread(target=self._work, args=(self._bell,), name=THREAD_NAME, daemon=True)
                self._has_thread = True
                try:
                    thread.start()
                except RuntimeError:  # none can be had: the interpreter ends, or there are too many, or never any
                    self._has_thread = False
            return self._has_thread

    def _work(self, bell: queue.SimpleQueue[None]) -> None:
        while True:
            bell.get()
            while self._waiting:
                try:
                    self._do_next()
                except BaseException as error:  # noqa: BLE001  # an app's redactor may even exit; the thread goes on
                    report_failure("sending a rating", error)

    def before_fork(self) -> None:
        """Let what is being done come to its end: a child would find its locks (the exporters', ...) held for ever."""
        self._doing.acquire(timeout=_FORK_TIMEOUT_SECONDS)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        with contextlib.suppress(RuntimeError):  # it was not had in time
            self._doing.release()

    def after_fork_in_child(self) -> None:
        """Begin anew: there is no thread here, and what waited is the parent's to do."""
        self._waiting.clear()
        self._doing = threading.RLock()
        self._has_thread = False


outbox: Final = Outbox()

if hasattr(os, "register_at_fork"):  # Windows can't fork
    os.register_at_fork(
        before=outbox.before_fork,
        after_in_parent=outbox.after_fork_in_parent,
        after_in_child=outbox.after_fork_in_child,
    )
