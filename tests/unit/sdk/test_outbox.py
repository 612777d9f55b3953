from __future__ import annotations

import contextvars
import os
import threading
import time
import warnings

import pytest

from otel_feedback.sdk import outbox as outbox_module
from otel_feedback.sdk import quiet
from otel_feedback.sdk.outbox import THREAD_NAME, Outbox


class Held:
    """Work that goes on until it is let go."""

    def __init__(self) -> None:
        self.has_begun = threading.Event()
        self._may_end = threading.Event()

    def __call__(self) -> None:
        self.has_begun.set()
        assert self._may_end.wait(20)

    def let_go(self) -> None:
        self._may_end.set()


@pytest.fixture
def outbox():
    made = Outbox()
    yield made
    assert made.drain(20)


@pytest.fixture
def held(outbox):
    work = Held()
    outbox.put(work)
    assert work.has_begun.wait(5)
    yield work
    work.let_go()


def test_nobody_waits_for_what_is_put_and_it_is_done_in_order(outbox, held):
    done: list[object] = []
    for number in range(20):
        outbox.put(lambda number=number: done.append((number, threading.current_thread().name)))
    assert done == []
    held.let_go()
    assert outbox.drain(5)
    assert [number for number, _ in done] == list(range(20))


def test_the_thread_does_it_without_being_asked_again(outbox):
    names: list[str] = []
    done = threading.Event()
    outbox.put(lambda: names.append(threading.current_thread().name) or done.set())
    assert done.wait(5)
    assert names == [THREAD_NAME]


def test_who_finds_it_full_does_the_oldest_itself(outbox, held, monkeypatch):
    monkeypatch.setattr(outbox_module, "MOST_WAITING", 3)
    done: list[tuple[int, str]] = []

    def rate() -> None:
        for number in range(6):
            outbox.put(lambda number=number: done.append((number, threading.current_thread().name)))

    app = threading.Thread(target=rate, name="app")
    app.start()
    app.join(0.2)
    assert app.is_alive()  # it waits for its turn, and drops nothing
    assert len(outbox._waiting) == 3
    held.let_go()
    app.join(5)
    assert outbox.drain(5)
    assert [number for number, _ in done] == list(range(6))


def test_where_no_thread_can_be_had_the_caller_does_it_at_once(outbox, monkeypatch):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    done: list[str] = []
    monkeypatch.setattr(threading.Thread, "start", refuse)
    for name in "ab":
        outbox.put(lambda name=name: done.append(name))
    assert done == ["a", "b"]
    monkeypatch.undo()
    outbox.put(lambda: done.append("c"))
    assert outbox.drain(5)
    assert outbox._has_thread


def test_the_thread_lives_on_whatever_is_raised_in_it(outbox, caplog):
    quiet.forget()
    done = threading.Event()

    def fail(error: BaseException) -> None:
        raise error

    for error in (ValueError("one"), SystemExit(2), GeneratorExit(), ValueError("two")):
        outbox.put(lambda error=error: fail(error))
    outbox.put(done.set)
    assert done.wait(5)
    told = [each.message for each in caplog.records if each.levelname == "WARNING"]
    assert told == ["sending a rating failed; further failures are logged at debug level"]
    quiet.forget()


def test_work_sees_the_context_of_its_caller(outbox, held):
    user: contextvars.ContextVar[str] = contextvars.ContextVar("user")
    seen: list[str] = []
    for name in ("u-1", "u-2"):
        user.set(name)
        outbox.put(lambda: seen.append(user.get()))
    user.set("u-3")
    held.let_go()
    assert outbox.drain(5)
    assert seen == ["u-1", "u-2"]


def test_work_may_put_work_and_drain(outbox):
    done: list[str] = []
    outbox.put(lambda: (outbox.put(lambda: done.append("inner")), done.append("outer"), outbox.drain(1)))
    assert outbox.drain(5)
    assert done == ["outer", "inner"]


@pytest.mark.usefixtures("held")
def test_draining_gives_up_in_time(outbox):
    outbox.put(lambda: None)
    began = time.monotonic()
    assert not outbox.drain(0.05)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("waits", [False, True], ids=["idle", "busy"])
def test_a_forked_child_begins_anew_and_the_parent_keeps_its_own(waits):
    """In the outbox of the process, the one that knows of forks."""
    outbox, done = outbox_module.outbox, []
    began, may_end = threading.Event(), threading.Event()
    outbox.put(lambda: began.set() or may_end.wait(5))
    assert began.wait(5)
    if waits:
        outbox.put(lambda: done.append("parent"))
        threading.Timer(0.1, may_end.set).start()
    else:
        may_end.set()
        assert outbox.drain(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking while threads run is what is shown here
        child = os.fork()
    if child == 0:
        import signal  # noqa: PLC0415  # of the child alone

        signal.alarm(5)
        here, done_before = threading.Event(), len(done)
        outbox.put(here.set)
        is_well = here.wait(4) and outbox.drain(4) and len(done) == done_before
        os._exit(0 if is_well else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert outbox.drain(5)
    assert done == (["parent"] if waits else [])
