"""A real disk that is small: an ext4 filesystem in a file, mounted through a loop device. That takes root, or sudo.

Where neither is to be had the test is skipped, or fails where every tool is required (CONTRIBUTING.md).
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.tools import missing_tool

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_PIECE = bytes(1 << 16)


class SmallDisk:
    """Mounted at ``path``."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.path = folder / "disk"
        self._image = folder / "disk.img"
        self._ballast = self.path / "ballast"
        self._size_bytes = size_bytes

    def make(self) -> None:
        """Make the filesystem and mount it, or skip the test."""
        self.path.mkdir()
        with self._image.open("wb") as image:
            image.truncate(self._size_bytes)
        owner = f"root_owner={os.getuid()}:{os.getgid()}"
        made = _run("mkfs.ext4", "-q", "-m", "0", "-E", owner, str(self._image))
        mounted = _as_root("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self.path)) if made else False
        if not mounted:
            missing_tool("no small disk: mkfs.ext4 (e2fsprogs), loop devices and root, or sudo without a password")

    def remove(self) -> None:
        """Unmount it, also with files open."""
        if self.path.is_mount():
            assert _as_root("umount", "-l", str(self.path))

    def free_bytes(self) -> int:
        """What can still be written."""
        disk = os.statvfs(self.path)
        return disk.f_bavail * disk.f_frsize

    def fill(self, but_bytes: int = 0) -> None:
        """Take what room there is, but for ``but_bytes``: by default to the last byte."""
        descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        piece = _PIECE
        try:
            while not but_bytes or self.free_bytes() > but_bytes:
                try:
                    os.write(descriptor, piece)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    if len(piece) == 1:
                        return
                    piece = piece[: len(piece) // 2]
        finally:
            os.close(descriptor)

    def make_room(self) -> None:
        """Give back what ``fill`` took."""
        self._ballast.unlink()

    def become_read_only(self) -> None:
        """As after an error of the device: at once, with files open for writing."""
        assert _as_root("mount", "-o", "remount,abort", str(self.path))

    def mend(self) -> None:
        """Repair it and mount it anew; nobody may use it."""
        assert _as_root("umount", str(self.path))
        _run("e2fsck", "-fy", str(self._image))
        assert _as_root("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self.path))

    def mount(self, option: str) -> None:
        """Mount it anew, ``rw`` or ``ro``; nobody may write to it."""
        assert _as_root("mount", "-o", f"remount,{option}", str(self.path))


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[SmallDisk]:
    """A mounted disk that is gone at the end."""
    disk = SmallDisk(folder, size_bytes)
    try:
        disk.make()
        yield disk
    finally:
        disk.remove()


def _as_root(*command: str) -> bool:
    return _run(*([] if os.geteuid() == 0 else ["sudo", "-n"]), *command)


def _run(*command: str) -> bool:
    program = shutil.which(command[0], path=_PATH)
    if program is None:
        return False
    done = subprocess.run([program, *command[1:]], capture_output=True, timeout=60, check=False)
    return done.returncode == 0
