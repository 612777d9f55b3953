from __future__ import annotations

import gc
import os
import threading
import warnings

from otel_feedback import fork_safe_lock
from otel_feedback.fork_safe_lock import ForkSafeLock
from otel_feedback.recent_ratings import RecentRatings


def in_a_forked_child(call) -> int:
    """The exit code of a child that calls it; -14 when it hangs for 5 seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking while threads run is what is shown here
        child = os.fork()
    if child == 0:
        import signal  # noqa: PLC0415  # of the child alone

        signal.alarm(5)
        call()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_it_keeps_others_out():
    lock, order = ForkSafeLock(), []
    with lock:
        other = threading.Thread(target=lambda: lock.__enter__() or order.append("other"))
        other.start()
        order.append("first")
    other.join(5)
    assert order == ["first", "other"]


def test_a_lock_held_by_another_thread_at_the_fork_does_not_hang_the_child():
    ratings = RecentRatings()
    held, done = threading.Event(), threading.Event()

    def hold():
        with ratings._lock:
            held.set()
            done.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(5)
    try:
        assert in_a_forked_child(ratings._lock.__enter__) == 0
    finally:
        done.set()
        holder.join()


def test_locks_that_are_gone_are_not_kept():
    before = len(fork_safe_lock._all)
    lock = ForkSafeLock()
    assert len(fork_safe_lock._all) == before + 1
    del lock
    gc.collect()
    assert len(fork_safe_lock._all) <= before
