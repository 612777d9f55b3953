"""A folder of secrets as Kubernetes mounts it: files are links into a folder behind one more link, which is swapped."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path


class MountedSecrets:
    """Each name is a file of ``folder``; ``swap`` replaces all of them at once, as the kubelet does."""

    def __init__(self, folder: Path, content: Mapping[str, str | bytes]) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self._version = 0
        self._content: dict[str, str | bytes] = {}
        self.swap(content)
        for name in content:
            (folder / name).symlink_to(Path("..data", name))

    def swap(self, content: Mapping[str, str | bytes]) -> None:
        """Put these in place of the former; what is not named stays as it is."""
        self._content.update(content)
        former, self._version = self.folder / f"..{self._version}", self._version + 1
        newest = self.folder / f"..{self._version}"
        newest.mkdir()
        for name, text in self._content.items():
            (newest / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        link = self.folder / "..data_tmp"
        link.symlink_to(newest.name)
        link.rename(self.folder / "..data")
        shutil.rmtree(former, ignore_errors=True)

    def path(self, name: str) -> str:
        """The path for a setting."""
        return str(self.folder / name)
