"""``evaluator train --kind finetuned``: trials, refusals and manifests of every kind, by a model that learns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.commands import otel_feedback

TRAIN = ("evaluator", "train", "--kind", "finetuned")
PERIOD = ("--since", "2026-09-01", "--until", "2026-10-01")


@pytest.fixture(scope="module")
def trained(data_dir: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("evaluators") / "tiny-judge"
    done = otel_feedback(
        data_dir,
        "evaluator",
        "train",
        "--kind",
        "finetuned",
        "--model",
        str(tiny_model),
        "--out",
        str(directory),
        *PERIOD,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return directory


def test_it_learns_and_is_measured_as_other_kinds_are(trained: Path, tiny_model: Path):
    manifest = json.loads((trained / "manifest.json").read_text())
    assert (manifest["kind"], manifest["rated_calls"]) == ("finetuned", 160)
    assert manifest["figures"]["evaluator"]["roc_auc"][1] > 0.9
    assert set(manifest["figures"]["baselines"]) == {"majority", "answer length", "latency"}
    assert manifest["chosen"]["base"] == str(tiny_model)
    assert {"torch", "transformers", "peft"} <= set(manifest["versions"])
    assert (trained / "model" / "adapter_model.safetensors").is_file()
    assert not list(trained.rglob("*.bin")) + list(trained.rglob("*.pkl"))


def test_training_again_finds_the_same(data_dir: Path, trained: Path):
    done = otel_feedback(data_dir, "evaluator", "reproduce", str(trained))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_it_needs_a_model_to_learn(data_dir: Path, tmp_path: Path):
    done = otel_feedback(data_dir, "evaluator", "train", "--kind", "finetuned", "--out", str(tmp_path / "x"), *PERIOD)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the kind finetuned needs a model: --model NAME" in done.stderr
    done = otel_feedback(
        data_dir,
        "evaluator",
        "train",
        "--kind",
        "finetuned",
        "--model",
        "no/where",
        "--out",
        str(tmp_path / "x"),
        *PERIOD,
    )
    assert done.returncode == 1
    assert "no/where can't be loaded" in done.stderr
