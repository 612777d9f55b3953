"""An evaluator's directory: ``manifest.json``, the model's files, and where what it learned from is in the database."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from otel_feedback.errors import DataDirectoryError, UsageError
from otel_feedback.insights.evaluator.answers import Answers
from otel_feedback.insights.evaluator.asked_model import ModelUse
from otel_feedback.insights.evaluator.calibration import Calibration, Verdicts
from otel_feedback.insights.evaluator.kinds import Model, kind_of
from otel_feedback.insights.export_files import MANIFEST, PROVENANCE
from otel_feedback.rating import MAX_NAME_CHARACTERS

FORMAT: Final = 1
NAME_PREFIX: Final = "evaluator."
MODEL: Final = "model"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION_DIGITS: Final = 12


def check_name(name: str) -> str:
    """The name, if it can be one.

    Raises:
        UsageError: it has other characters than letters, digits, ".", "_", "-", or too many.
    """
    most = MAX_NAME_CHARACTERS - len(NAME_PREFIX)
    if not _NAME.fullmatch(name) or len(name) > most:
        raise UsageError(f"{name!r} is no name: at most {most} letters, digits, dots, hyphens and underscores")
    return name


@dataclass(frozen=True, slots=True)
class Evaluator:
    """A stored evaluator, ready to judge.

    Attributes:
        manifest: all of ``manifest.json``.
    """

    directory: Path
    manifest: Mapping[str, Any]
    model: Model
    calibration: Calibration
    verdicts: Verdicts

    @property
    def rating_name(self) -> str:
        """What its verdicts are rated under."""
        return NAME_PREFIX + str(self.manifest["name"])

    @property
    def rater_id(self) -> str:
        """Who says it: another version is another rater."""
        return f"{self.manifest['name']}@{self.manifest['version']}"

    @property
    def refused(self) -> Sequence[str]:
        """Why it was not promoted; empty if it was."""
        return list(self.manifest["refused"])


def load(directory: Path, use: ModelUse | None = None) -> Evaluator:
    """The evaluator in a directory. Nothing that is read there can run.

    Args:
        directory: which.
        use: how one that asks a language model may do so.

    Raises:
        DataDirectoryError: there is none, or it was changed.
    """
    manifest = read(directory)
    try:
        _check_files(directory, manifest["files"])
        found = manifest["verdicts"]
        verdicts = Verdicts(
            float("inf") if found["negative_from"] is None else float(found["negative_from"]),
            float(found["positive_below"]),
        )
        model = kind_of(manifest["kind"], use=use).load(directory / MODEL)
        return Evaluator(directory, manifest, model, Calibration.read(manifest["calibration"]), verdicts)
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataDirectoryError(f"The evaluator in {directory} can't be used: {error}. Train it anew") from None


def _check_files(directory: Path, files: Mapping[str, str]) -> None:
    for name, told in files.items():
        if hashed(directory / name) != told:
            raise ValueError(f"{name} is not what the manifest says")


def read(directory: Path) -> dict[str, Any]:
    """The manifest of the evaluator in a directory.

    Raises:
        DataDirectoryError: there is none.
    """
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataDirectoryError(f"There is no evaluator in {directory}: {path} can't be read ({error})") from None
    if not isinstance(manifest, dict) or manifest.get("evaluator") != FORMAT:
        raise DataDirectoryError(
            f"{path} is no evaluator's that this version can read: `evaluator train --out` makes one"
        )
    return manifest


@contextmanager
def new_directory(directory: Path) -> Iterator[Path]:
    """A directory to write to, which becomes this one when everything went well, and is gone otherwise.

    Raises:
        UsageError: something is there already.
        DataDirectoryError: it can't be written.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UsageError(f"{directory} is there already; name a directory that does not exist yet")
    unfinished = directory.with_name(f"{directory.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        (unfinished / MODEL).mkdir(parents=True)
        yield unfinished
        if directory.exists():
            directory.rmdir()
        unfinished.rename(directory)
    except OSError as error:
        raise DataDirectoryError(f"{error.filename or directory} can't be written: {error.strerror}") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def write(directory: Path, manifest: dict[str, Any], model: Model, answers: Answers) -> dict[str, Any]:
    """Write all of it, and return the manifest with its files' hashes and the version that follows from it."""
    model.save(directory / MODEL)
    (directory / PROVENANCE).mkdir()
    with (directory / PROVENANCE / "train.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        for trace_id, span_id, rating_ids in zip(answers.trace_ids, answers.span_ids, answers.rating_ids, strict=True):
            source = {"trace_id": trace_id, "span_id": span_id, "rating_ids": list(rating_ids)}
            file.write(json.dumps([source]) + "\n")
    files = sorted(path for path in (directory / MODEL).rglob("*") if path.is_file())
    manifest = {**manifest, "files": {path.relative_to(directory).as_posix(): hashed(path) for path in files}}
    made_from = json.dumps({**manifest, "figures": None}, sort_keys=True)
    manifest = {
        "evaluator": FORMAT,
        "version": hashlib.sha256(made_from.encode()).hexdigest()[:_VERSION_DIGITS],
        **manifest,
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (directory / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return manifest


def hashed(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Of Python, of this package and of those that figures depend on."""
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in ("otel-feedback", *packages)
    }
