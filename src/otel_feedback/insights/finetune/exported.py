"""An export as a run learns from it: whole, unchanged, and in a format that can be learned from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from otel_feedback.errors import DataDirectoryError, UsageError
from otel_feedback.insights.export_files import DATA, MANIFEST

Method = Literal["sft", "kto", "dpo"]
_METHODS: Final[dict[str, Method]] = {"sft": "sft", "openai": "sft", "kto": "kto", "dpo": "dpo"}
FEWEST_ROWS: Final = 2
"""Of a part, for anything to be learned or measured."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What is learned from, and what is tried.

    Attributes:
        method: which follows from the format.
        manifest: the export's.
        manifest_sha256: of the file.
        train: rows, as ``export_rows`` makes them.
        holdout: rows of conversations that are not in ``train``.
        holdout_part: ``test``, or ``validation`` where there is no test.
    """

    directory: Path
    method: Method
    manifest: dict[str, Any]
    manifest_sha256: str
    train: list[dict[str, Any]]
    holdout: list[dict[str, Any]]
    holdout_part: str


def read_export(directory: Path) -> Exported:
    """The export in a directory.

    Raises:
        DataDirectoryError: there is none, or a file of it was changed.
        UsageError: its format is no one's to learn from, or it has too few rows.
    """
    path = directory / MANIFEST
    try:
        text = path.read_bytes()
        manifest = json.loads(text)
        chosen, files = manifest["format"], manifest["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataDirectoryError(
            f"There is no export in {directory}: {path} can't be read ({error}). "
            f"Make one: otel-feedback export --format kto --out {directory.name}"
        ) from None
    if chosen not in _METHODS:
        raise UsageError(f"{directory} is in the format {chosen}; learn from sft, openai, kto or dpo")
    for name, told in files.items():
        if _hash(directory / name) != told["sha256"]:
            raise DataDirectoryError(
                f"{directory / name} is not what {path} says: it was changed, or not copied whole. Export it anew"
            )
    parts = {name: _rows(directory / DATA / f"{name}.jsonl") for name in ("train", "validation", "test")}
    holdout_part = "test" if len(parts["test"]) >= FEWEST_ROWS else "validation"
    for name in ("train", holdout_part):
        if len(parts[name]) < FEWEST_ROWS:
            raise UsageError(
                f"{directory} has {len(parts[name])} rows to {'learn from' if name == 'train' else 'try it on'}: "
                "export more, or with another --split"
            )
    digest = hashlib.sha256(text).hexdigest()
    return Exported(directory, _METHODS[chosen], manifest, digest, parts["train"], parts[holdout_part], holdout_part)


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataDirectoryError(f"{path} can't be read: {error.strerror}") from None


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
