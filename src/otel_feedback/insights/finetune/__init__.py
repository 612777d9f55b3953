"""LoRA on an export: a small adapter for a language model, from what people liked and disliked.

    from pathlib import Path

    from otel_feedback.insights.finetune import Config, finetune

    told = finetune(Config.read(Path("finetune.toml")))

Needs ``pip install 'otel-feedback[finetune]'``: torch, transformers, PEFT and TRL, which only ``training`` and
``holdout`` import, so that a mistake in the file is told before they are loaded.
"""

from otel_feedback.insights.finetune.config import Config
from otel_feedback.insights.finetune.run import finetune

__all__ = ["Config", "finetune"]
