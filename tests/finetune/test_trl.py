"""Each export as it is, through ``datasets`` into TRL's own trainer of its format, for a step."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

STEP = """
import sys
import trl
from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer

kind, data, model, out = sys.argv[1:]
rows = load_dataset(data, cache_dir=out)["train"]
arguments = getattr(trl, f"{kind}Config")(
    output_dir=out, max_steps=1, per_device_train_batch_size=4, use_cpu=True, report_to=[], save_strategy="no",
    max_length=256,
)
trainer = getattr(trl, f"{kind}Trainer")(
    model=AutoModelForCausalLM.from_pretrained(model),
    args=arguments,
    train_dataset=rows,
    processing_class=AutoTokenizer.from_pretrained(model),
)
before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
trainer.train()
changed = [name for name, value in trainer.model.state_dict().items() if not before[name].equal(value)]
print(len(rows), trainer.state.global_step, bool(changed))
"""


@pytest.mark.parametrize(("kind", "chosen"), [("SFT", "sft"), ("SFT", "openai"), ("KTO", "kto"), ("DPO", "dpo")])
def test_trl_takes_a_step(exports: Path, tiny_model: Path, tmp_path: Path, kind: str, chosen: str):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STEP, kind, str(exports / chosen), str(tiny_model), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows, steps, has_changed = done.stdout.split("\n")[-2].split()
    assert int(rows) > 20
    assert (steps, has_changed) == ("1", "True")
