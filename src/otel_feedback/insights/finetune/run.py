"""A run from its file to the adapter's directory, which tells where all of it came from and whether it helped."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from otel_feedback.errors import DataDirectoryError, OtelFeedbackError, UsageError
from otel_feedback.insights.asking import Ask
from otel_feedback.insights.export_files import MANIFEST, PROVENANCE
from otel_feedback.insights.export_verify import verify
from otel_feedback.insights.finetune.card import NAME as CARD
from otel_feedback.insights.finetune.card import model_card
from otel_feedback.insights.finetune.config import Config
from otel_feedback.insights.finetune.exported import FEWEST_ROWS, Exported, read_export

ADAPTER: Final = "adapter"
CHECKPOINTS: Final = "checkpoints"
BEGUN: Final = "begun.json"
_PACKAGES: Final = ("torch", "transformers", "peft", "trl", "datasets", "accelerate")
Progress = Callable[[int, str], Callable[[int], object]]


def finetune(
    config: Config,
    ask: Ask | None = None,
    *,
    is_verified: bool = True,
    progress: Progress = lambda _total, _about: lambda _: None,
) -> dict[str, Any]:
    """Train an adapter on an export, try it on rows that it has not seen, and write both down.

    Args:
        config: what to do. Where ``config.out`` holds a run of the same file and data that was broken off, it goes on.
        ask: asks the database (``asker``) whether a row of the export was erased since; None for that of the settings.
        is_verified: False leaves that out, for machines that can't reach the database.
        progress: called with a number of steps and what they are; what it returns, with how many more are done.

    Returns:
        The manifest, which is in ``manifest.json``, too.

    Raises:
        UsageError: something can't be meant, or the directory holds something else.
        OtelFeedbackError: rows were erased since, or the model can't be loaded or write these chats.
        DataDirectoryError: the export can't be read or was changed, or the directory can't be written.
        DatabaseError: the database can't be asked.
    """
    exported = read_export(config.data)
    begun = _begun(config, exported)
    if is_verified:
        _refuse_what_was_erased(exported, ask)
    try:
        return _run(config, exported, begun, progress)
    except OSError as error:
        raise DataDirectoryError(f"{error.filename or config.out} can't be written: {error.strerror}") from None


def _begun(config: Config, exported: Exported) -> dict[str, Any]:
    """What the run has written down so far; the same file and data, or nothing."""
    same = {"config": config.told(), "manifest_sha256": exported.manifest_sha256}
    if not config.out.exists() or (config.out.is_dir() and not any(config.out.iterdir())):
        return same
    path = config.out / BEGUN
    try:
        begun: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError(f"{config.out} is there already; name a directory that does not exist yet") from None
    if {name: begun.get(name) for name in same} != same:
        raise UsageError(
            f"{config.out} holds a run of another file or of other data that was broken off; name another directory, "
            "or delete it"
        )
    return begun


def _refuse_what_was_erased(exported: Exported, ask: Ask | None) -> None:
    stale = verify(exported.directory, ask)
    if stale:
        rows = sum(len(each.rows) for each in stale)
        raise OtelFeedbackError(
            f"{exported.directory} holds {rows} row(s) of which the call or a rating was erased, taken back, or has "
            f"expired. Export it anew; `otel-feedback export verify {exported.directory}` names them"
        )


def _run(config: Config, exported: Exported, begun: dict[str, Any], progress: Progress) -> dict[str, Any]:
    from otel_feedback.insights.finetune import base_model, holdout, training  # noqa: PLC0415  # they load torch

    with training.quiet():
        loaded = base_model.load(config.model)
    kept = holdout.writable(loaded, exported.train, exported.method)
    tried = holdout.writable(loaded, exported.holdout, exported.method)
    if min(len(kept), len(tried)) < FEWEST_ROWS:
        raise OtelFeedbackError(
            f"The chat template of {config.model.name} can write {len(kept)} of {len(exported.train)} rows to learn "
            f"from and {len(tried)} of {len(exported.holdout)} to be tried on. Does it know tools and system messages? "
            'Another one is named by chat_template = "FILE" below [model]'
        )
    rows = [exported.train[number] for number in kept]
    held = _with_holdout(exported, [exported.holdout[number] for number in tried])
    config.out.mkdir(parents=True, exist_ok=True)
    max_tokens = config.training.max_tokens
    if "before" not in begun:
        step = progress(len(held.holdout), "before")
        before = holdout.try_on(loaded, held, max_tokens, lambda: step(1))
        begun = begun | {"before": before.likelihoods.tolist()}
        _write(config.out / BEGUN, begun)
    before = holdout.Tried(np.array(begun["before"], dtype=np.float64), _labels(held))
    steps = training.steps_of(config, len(rows))
    trained, steps = training.train(
        config, loaded, exported.method, rows, config.out / CHECKPOINTS, progress(steps, "train")
    )
    step = progress(len(held.holdout), "after")
    after = holdout.try_on(trained, held, max_tokens, lambda: step(1))
    training.save_adapter(trained.model, config.out / ADAPTER)
    trained.tokenizer.save_pretrained(config.out / ADAPTER)
    change = holdout.change(before, after, exported.method, config.training.seed)
    figure = holdout.PRIMARY[exported.method]
    manifest = {
        "method": exported.method,
        "config": config.told(),
        "data": {
            "export": exported.directory.name,
            "manifest_sha256": exported.manifest_sha256,
            "filter": exported.manifest["filter"],
            "rows": exported.manifest["rows"],
            "holdout": exported.holdout_part,
            "tried": len(held.holdout),
            "left_out": _left_out(exported, len(kept), len(tried)),
        },
        "steps": steps,
        "figures": {
            "figure": figure,
            "before": round(before.figure(exported.method), 6),
            "after": round(after.figure(exported.method), 6),
            "change": [round(each, 6) for each in change],
        },
        "verdict": _verdict(change),
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in (*_PACKAGES, "otel-feedback")},
        "files": {
            f"{ADAPTER}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted((config.out / ADAPTER).iterdir())
            if path.is_file()
        },
    }
    shutil.copytree(exported.directory / PROVENANCE, config.out / PROVENANCE, dirs_exist_ok=True)
    (config.out / ADAPTER / CARD).write_text(model_card(manifest, holdout.MEANINGS[figure]), encoding="utf-8")
    _write(config.out / MANIFEST, manifest)
    shutil.rmtree(config.out / CHECKPOINTS, ignore_errors=True)
    (config.out / BEGUN).unlink(missing_ok=True)
    return manifest


def _with_holdout(exported: Exported, rows: list[dict[str, Any]]) -> Exported:
    return Exported(
        exported.directory,
        exported.method,
        exported.manifest,
        exported.manifest_sha256,
        exported.train,
        rows,
        exported.holdout_part,
    )


def _labels(exported: Exported) -> Any:
    is_kto = exported.method == "kto"
    return np.array([float(row["label"]) for row in exported.holdout] if is_kto else [], dtype=np.float64)


def _left_out(exported: Exported, kept: int, tried: int) -> dict[str, int]:
    found = {
        "rows to learn from that the chat template can't write": len(exported.train) - kept,
        "rows to be tried on that it can't write": len(exported.holdout) - tried,
    }
    return {why: count for why, count in found.items() if count}


def _verdict(change: tuple[float, float, float]) -> str:
    _, low, high = change
    if low > 0:
        return "It helped: the interval of the change is above 0."
    if high < 0:
        return "It did harm: the interval of the change is below 0. Do not use it."
    return "Nothing is proven: the interval of the change holds 0. More rows, or more steps, may tell."


def _write(path: Path, told: Mapping[str, Any]) -> None:
    """Whole or not at all, since a run may be broken off at any time."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(path)
