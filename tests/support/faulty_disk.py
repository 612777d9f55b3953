"""A disk that fails on demand, under code that writes with ``os``: it refuses calls, and a power loss takes what was
not fsynced.

The files are real ones in a real folder; what would have reached the platters is kept beside them in memory. Names
are made durable by an fsync of their directory, in the order in which they were changed (as journaling filesystems
do); content is made durable by an fsync of its file. Of everything else a power loss leaves as much as it likes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CALLS = ("open", "writev", "ftruncate", "fsync", "fdatasync", "rename", "unlink", "mkdir")
"""The calls that can fail or be a process's last."""


class ProcessDied(BaseException):
    """The process ends here; nothing that it does later reaches the disk."""


@dataclass(slots=True)
class _Content:
    """A file: what the system shows of it, and what a power loss leaves for sure."""

    shown: bytes = b""
    durable: bytes = b""


_Entry = _Content | None  # None: a directory


class FaultyDisk:
    """Everything below ``folder``, for code that calls the functions of ``os`` in CALLS."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._shown: dict[str, _Entry] = {}
        self._durable: dict[str, _Entry] = {}
        self._journal: list[tuple[set[str], Callable[[dict[str, _Entry]], object]]] = []
        self._descriptors: dict[int, str | _Content] = {}
        self._refused: Collection[str] = ()
        self._code = 0
        self._calls_until_refusal = 0
        self._calls_until_death: int | None = None
        self._dies_before_call = False
        self.is_dead = False
        self._real = {name: getattr(os, name) for name in (*CALLS, "close")}
        for name in (*CALLS, "close"):
            patch.setattr(os, name, getattr(self, f"_{name}"))

    def refuse(self, calls: Collection[str], code: int, after: int) -> None:
        """After so many calls, let these fail with an errno until the disk is healed; writes write a half before."""
        self._refused, self._code, self._calls_until_refusal = calls, code, after

    @property
    def is_broken(self) -> bool:
        """Whether calls fail, or will."""
        return bool(self._refused)

    def heal(self) -> None:
        """Let every call succeed."""
        self._refused = ()

    def end_process_at(self, calls: int, *, before: bool) -> None:
        """The process ends before or after so many calls more."""
        self._calls_until_death, self._dies_before_call = calls, before

    def end_process(self) -> None:
        """The process has ended: the system closes its files. The next calls are those of another one."""
        self.is_dead = False
        self._calls_until_death = None
        for descriptor in list(self._descriptors):
            self._close(descriptor)

    def content_changed(self, path: Path) -> None:
        """Somebody else changed a file on the platters."""
        content = self._shown[str(path)]
        assert content is not None
        content.shown = content.durable = path.read_bytes()

    def lose_power(self, choose: Callable[[int], int]) -> None:
        """Leave what is durable, and of the rest what ``choose(n)`` in 0..n says."""
        for _, change in self._journal[: choose(len(self._journal))]:
            change(self._durable)
        self._journal.clear()
        for path in sorted(self._folder.rglob("*"), reverse=True):
            os.rmdir(path) if path.is_dir() else self._real["unlink"](path)  # noqa: PTH106  # pathlib's would be ours
        for path, entry in sorted(self._durable.items()):
            if entry is None:
                self._real["mkdir"](path)
            else:
                entry.durable = entry.shown = _left_of(entry, choose)
                Path(path).write_bytes(entry.shown)
        self._shown = dict(self._durable)

    def _call(self, name: str, act: Callable[[], Any], half: Callable[[], Any] | None = None) -> Any:
        """One call of CALLS, with its faults."""
        if self.is_dead:
            raise ProcessDied
        dies = False
        if self._calls_until_death is not None:
            dies = self._calls_until_death == 0
            self._calls_until_death -= 1
        if dies and self._dies_before_call:
            self.is_dead = True
            raise ProcessDied
        if name in self._refused:
            if self._calls_until_refusal <= 0:
                raise OSError(self._code, os.strerror(self._code))
            self._calls_until_refusal -= 1
            if self._calls_until_refusal == 0 and half is not None:
                act = half
        result = act()
        if dies:
            self.is_dead = True
            raise ProcessDied
        return result

    def _change(self, *paths: str, change: Callable[[dict[str, _Entry]], object]) -> None:
        change(self._shown)
        self._journal.append(({str(Path(path).parent) for path in paths}, change))

    def _is_ours(self, path: Any) -> bool:
        return str(path).startswith(str(self._folder))

    def _open(self, path: Any, flags: int, mode: int = 0o777, **options: Any) -> int:
        if not self._is_ours(path):
            return int(self._real["open"](path, flags, mode, **options))
        if flags & os.O_DIRECTORY:
            descriptor = self._real["open"](path, flags)
            self._descriptors[descriptor] = str(path)
            return int(descriptor)
        return int(self._call("open", lambda: self._create(str(path), flags, mode)))

    def _create(self, path: str, flags: int, mode: int) -> int:
        descriptor = int(self._real["open"](path, flags, mode))
        content = self._shown.get(path)
        if content is None:
            content = _Content()
            self._change(path, change=lambda names: names.update({path: content}))
        if flags & os.O_TRUNC:
            content.shown = b""
        self._descriptors[descriptor] = content
        return descriptor

    def _writev(self, descriptor: int, parts: Any) -> int:
        content = self._descriptors.get(descriptor)
        if not isinstance(content, _Content):
            return int(self._real["writev"](descriptor, parts))
        data = b"".join(parts)

        def write(part: bytes) -> int:
            content.shown += part
            return int(self._real["writev"](descriptor, [part]))

        return int(self._call("writev", lambda: write(data), lambda: write(data[: (len(data) + 1) // 2])))

    def _ftruncate(self, descriptor: int, length: int) -> None:
        content = self._descriptors[descriptor]
        assert isinstance(content, _Content)

        def cut() -> None:
            content.shown = content.shown[:length]
            self._real["ftruncate"](descriptor, length)

        self._call("ftruncate", cut)

    def _fsync(self, descriptor: int) -> None:
        self._sync("fsync", descriptor)

    def _fdatasync(self, descriptor: int) -> None:
        self._sync("fdatasync", descriptor)

    def _sync(self, name: str, descriptor: int) -> None:
        synced = self._descriptors[descriptor]

        def sync() -> None:
            if isinstance(synced, _Content):
                synced.durable = synced.shown
                return
            last = max((index for index, (parents, _) in enumerate(self._journal) if synced in parents), default=-1)
            for _, change in self._journal[: last + 1]:
                change(self._durable)
            del self._journal[: last + 1]

        self._call(name, sync)

    def _rename(self, source: Any, target: Any, **options: Any) -> None:
        if not self._is_ours(source):
            self._real["rename"](source, target, **options)
            return
        old, new = str(source), str(target)

        def rename() -> None:
            self._real["rename"](old, new)
            self._change(old, new, change=lambda names: names.update({new: names.pop(old)}))

        self._call("rename", rename)

    def _unlink(self, path: Any, **options: Any) -> None:
        if not self._is_ours(path):
            self._real["unlink"](path, **options)
            return

        def unlink() -> None:
            self._real["unlink"](path)
            self._change(str(path), change=lambda names: names.pop(str(path)))

        self._call("unlink", unlink)

    def _mkdir(self, path: Any, mode: int = 0o777, **options: Any) -> None:
        if not self._is_ours(path):
            self._real["mkdir"](path, mode, **options)
            return

        def mkdir() -> None:
            self._real["mkdir"](path, mode)
            self._change(str(path), change=lambda names: names.update({str(path): None}))

        self._call("mkdir", mkdir)

    def _close(self, descriptor: int) -> None:
        self._descriptors.pop(descriptor, None)
        self._real["close"](descriptor)


def _left_of(content: _Content, choose: Callable[[int], int]) -> bytes:
    """What a power loss leaves: anything between what is durable and what was shown; new bytes may read as zeros."""
    durable, shown = content.durable, content.shown
    if not shown.startswith(durable):
        return (durable, shown)[choose(1)]
    reached = len(durable) + choose(len(shown) - len(durable))
    return shown[:reached] + bytes(choose(1) * (len(shown) - reached))
