"""``otel-feedback finetune``: real exports, TRL and PEFT, and a model of a few thousand weights."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.commands import otel_feedback
from tests.support.service import service_environment
from tests.support.tiny_model import make_tiny_model

Write = Callable[..., Path]


def run(data_dir: Path, path: Path, *arguments: str) -> dict[str, Any]:
    done = otel_feedback(data_dir, "finetune", str(path), "--format", "json", *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize(
    ("chosen", "figure"),
    [("openai", "log_likelihood"), ("kto", "roc_auc"), ("dpo", "preferred")],
)
def test_each_format_is_learned_from_and_tried_on_other_conversations(
    data_dir: Path, config: Write, chosen: str, figure: str
):
    path = config(chosen, "epochs = 1")
    told = run(data_dir, path)
    figures = told["figures"]
    assert figures["figure"] == figure
    change, low, high = figures["change"]
    assert low <= change <= high
    assert change == pytest.approx(figures["after"] - figures["before"], abs=1e-5)
    if figures["before"] == 1:
        assert figures["after"] == 1  # chance had it right before it learned anything
    else:
        assert low > 0, figures
        assert told["verdict"].startswith("It helped")
    assert told["data"]["holdout"] == "test"
    out = path.with_suffix("")
    assert json.loads((out / "manifest.json").read_text()) == told
    card = (out / "adapter" / "README.md").read_text()
    assert told["data"]["manifest_sha256"] in card
    assert told["verdict"] in card
    assert not (out / "checkpoints").exists()
    assert (out / "adapter" / "adapter_model.safetensors").stat().st_size > 1000


def test_the_adapter_loads_over_its_model_and_says_what_people_liked(data_dir: Path, config: Write):
    path = config("kto", "epochs = 1")
    run(data_dir, path)
    script = (
        "import sys, torch\n"
        "from peft import AutoPeftModelForCausalLM\n"
        "from transformers import AutoTokenizer\n"
        "model = AutoPeftModelForCausalLM.from_pretrained(sys.argv[1])\n"
        "words = AutoTokenizer.from_pretrained(sys.argv[1])\n"
        "asked = [{'role': 'user', 'content': 'Where is parcel 5?'}]\n"
        "def likely(answer):\n"
        "    said = asked + [{'role': 'assistant', 'content': answer}]\n"
        "    ids = words(words.apply_chat_template(said, tokenize=False), return_tensors='pt')['input_ids']\n"
        "    return -model(input_ids=ids, labels=ids).loss.item()\n"
        "print(likely('I looked it up: parcel 5 is on its way.') > likely('No idea, see page 5.'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(path.with_suffix("") / "adapter")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "True\n", done.stderr[-1000:]


def test_a_run_that_was_killed_goes_on_and_ends_as_if_it_had_not_been(data_dir: Path, config: Write):
    lines = ("steps = 14", "checkpoint_steps = 2")
    whole = run(data_dir, config("dpo", *lines, name="whole"))
    path = config("dpo", *lines, name="broken")
    out = path.with_suffix("")
    process = subprocess.Popen(
        [sys.executable, "-m", "otel_feedback.cli", "finetune", str(path)],
        env=service_environment(data_dir, {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 100
    while not list(out.glob("checkpoints/checkpoint-*/trainer_state.json")):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < until
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "manifest.json").exists()
    other = config("sft", *lines, name="broken")
    refused = otel_feedback(data_dir, "finetune", str(other))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "holds a run of another file or of other data" in refused.stderr
    told = run(data_dir, config("dpo", *lines, name="broken"))
    assert told["figures"] == whole["figures"]
    assert told["files"] == whole["files"]
    again = otel_feedback(data_dir, "finetune", str(config("dpo", *lines, name="broken")))
    assert again.returncode == 2
    assert "is there already" in again.stderr


def test_data_that_was_changed_or_can_not_be_learned_from_is_refused(
    data_dir: Path, config: Write, exports: Path, tmp_path: Path
):
    def refused(path: Path, code: int, words: str) -> None:
        done = otel_feedback(data_dir, "finetune", str(path))
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert words in done.stderr
        assert done.stderr.count("\n") == 1

    refused(config("parquet"), 2, "is in the format parquet; learn from sft, openai, kto or dpo")
    refused(config(data=tmp_path / "nothing"), 1, "There is no export in")
    changed = shutil.copytree(exports / "sft", tmp_path / "changed")
    with (changed / "data" / "train.jsonl").open("a") as file:
        file.write('{"messages": []}\n')
    refused(config(data=changed), 1, "train.jsonl is not what")
    refused(config(model="/nowhere"), 1, "/nowhere can't be loaded")
    small = tmp_path / "small"
    done = otel_feedback(
        data_dir, "export", "--format", "sft", "--out", str(small), "--split", "100/0/0", "--since", "2026-09-01"
    )
    assert done.returncode == 0
    refused(config(data=small), 2, "has 0 rows to try it on: export more, or with another --split")


def test_a_chat_template_is_needed_and_what_it_can_not_write_is_left_out(data_dir: Path, config: Write, tmp_path: Path):
    silent = make_tiny_model(tmp_path / "silent", ["Where is parcel 7?"], template="")
    done = otel_feedback(data_dir, "finetune", str(config(model=str(silent))))
    assert (done.returncode, done.stdout) == (2, "")
    assert "does not say how it writes a chat" in done.stderr
    strict = (
        "{% for m in messages %}{% if m['role'] == 'tool' %}{{ raise_exception('no tools') }}{% endif %}"
        "{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
    )
    (tmp_path / "strict.jinja").write_text(strict)
    path = config("sft", "steps = 2")
    path.write_text(path.read_text().replace("[lora]", 'chat_template = "strict.jinja"\n[lora]'))
    told = run(data_dir, path)
    assert told["data"]["left_out"]["rows to learn from that the chat template can't write"] > 0
    assert told["steps"] == 2


def test_who_was_erased_is_learned_from_no_more(data_dir: Path, config: Write, tmp_path: Path):
    copied = shutil.copytree(data_dir, tmp_path / "copied", symlinks=True)
    done = otel_feedback(copied, "erase", "--user", "u1", "--yes")
    assert done.returncode == 0, done.stderr
    path = config("sft", "steps = 1")
    refused = otel_feedback(copied, "finetune", str(path))
    assert refused.returncode == 1
    assert "of which the call or a rating was erased" in refused.stderr
    run(data_dir, path)
    named = otel_feedback(copied, "export", "verify", str(path.with_suffix("")))
    assert named.returncode == 1
    assert str(path.with_suffix("")) in named.stdout
    nowhere = otel_feedback(tmp_path / "nowhere", "finetune", str(config("sft", "steps = 1", name="other")))
    assert nowhere.returncode == 1
    assert run(tmp_path / "nowhere", config("sft", "steps = 1", name="other"), "--unverified")["steps"] == 1
