"""The run itself: TRL's trainer of the method over a LoRA adapter, from the newest checkpoint on."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import datasets
import torch
import transformers
from peft import LoraConfig
from transformers import PrinterCallback, TrainerCallback
from transformers.trainer_utils import get_last_checkpoint
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer

from otel_feedback.insights.finetune.base_model import Loaded
from otel_feedback.insights.finetune.config import Config
from otel_feedback.insights.finetune.exported import Method

_TRAINERS: Final[dict[Method, tuple[Any, Any]]] = {
    "sft": (SFTConfig, SFTTrainer),
    "kto": (KTOConfig, KTOTrainer),
    "dpo": (DPOConfig, DPOTrainer),
}
_USUAL_RATE: Final[dict[Method, float]] = {"sft": 1e-4, "kto": 1e-5, "dpo": 1e-5}


def steps_of(config: Config, rows: int) -> int:
    """How many steps a run takes over so many rows."""
    if config.training.steps:
        return config.training.steps
    batches = -(-rows // config.training.batch)
    return max(1, int(-(-batches // config.training.accumulate) * config.training.epochs))


def train(
    config: Config,
    loaded: Loaded,
    method: Method,
    rows: list[dict[str, Any]],
    checkpoints: Path,
    step: Callable[[int], object],
) -> tuple[Loaded, int]:
    """The model with its adapter, trained, and the number of steps. ``step`` is called with how many more are done.

    A run that was broken off goes on from its newest checkpoint, and ends as if it had never been.
    """
    with quiet():
        settings, trainer_class = _TRAINERS[method]
        training = config.training
        method_settings: dict[str, Any] = {} if method == "sft" else {"beta": training.beta}
        arguments = settings(
            output_dir=str(checkpoints),
            num_train_epochs=training.epochs,
            max_steps=training.steps or -1,
            per_device_train_batch_size=training.batch,
            gradient_accumulation_steps=training.accumulate,
            learning_rate=training.learning_rate or _USUAL_RATE[method],
            lr_scheduler_type="linear",
            max_length=training.max_tokens,
            seed=training.seed,
            data_seed=training.seed,
            save_strategy="steps",
            save_steps=training.checkpoint_steps,
            save_total_limit=2,
            eval_strategy="no",
            report_to=[],
            disable_tqdm=True,
            logging_strategy="no",
            use_cpu=not torch.cuda.is_available(),
            bf16=torch.cuda.is_available() and torch.cuda.is_bf16_supported(),
            gradient_checkpointing=torch.cuda.is_available(),
            full_determinism=False,
            **method_settings,
        )
        lora = LoraConfig(
            task_type="CAUSAL_LM",
            r=config.lora.rank,
            lora_alpha=config.lora.alpha,
            lora_dropout=config.lora.dropout,
            target_modules=config.lora.targets,
        )
        trainer = trainer_class(
            model=loaded.model,
            args=arguments,
            train_dataset=datasets.Dataset.from_list([_told(row, method) for row in rows]),
            processing_class=loaded.tokenizer,
            peft_config=lora,
            callbacks=[_Steps(step)],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=_newest(checkpoints))
        return Loaded(trainer.accelerator.unwrap_model(trainer.model), loaded.tokenizer), trainer.state.global_step


def _told(row: dict[str, Any], method: Method) -> dict[str, Any]:
    """A row as TRL takes it: of a liked conversation the last answer is learned, and not what its user said."""
    return row if method != "sft" else {"prompt": row["messages"][:-1], "completion": row["messages"][-1:]}


def _newest(checkpoints: Path) -> str | None:
    found: str | None = get_last_checkpoint(str(checkpoints)) if checkpoints.is_dir() else None
    return found


def save_adapter(model: Any, directory: Path) -> None:
    """Write adapter and settings, the same bytes for the same run: PEFT keeps the names of layers in a set."""
    model.save_pretrained(directory)
    path = directory / "adapter_config.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    told |= {name: sorted(value) for name, value in told.items() if isinstance(value, list)}
    path.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (directory / "README.md").unlink(missing_ok=True)


class _Steps(TrainerCallback):  # type: ignore[misc]
    """Tells how far the run is."""

    def __init__(self, step: Callable[[int], object]) -> None:
        self._step = step
        self._told = 0

    def on_step_end(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        self._step(state.global_step - self._told)
        self._told = state.global_step


@contextmanager
def quiet() -> Iterator[None]:
    """What the libraries say of themselves while they work is not what whoever runs this has to know."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("trl", "peft", "accelerate", "transformers", "datasets"):
            logging.getLogger(name).setLevel(logging.ERROR)
        yield
