"""A language model with its tokenizer, from a hub or a directory, ready to be adapted."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from otel_feedback.errors import OtelFeedbackError, UsageError
from otel_feedback.insights.finetune.config import BaseModel

Messages = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model and how text becomes its tokens."""

    model: Any
    tokenizer: Any

    def tokens(self, prompt: Messages, completion: Messages) -> tuple[list[int], int]:
        """Prompt and completion as one text's tokens, and how many of these are the prompt's.

        Raises:
            ValueError: the chat template can't write these messages.
        """
        try:
            whole = self._written(prompt + completion, is_open=False)
            before = self._written(prompt, is_open=True)
        except (TemplateError, TypeError, KeyError) as error:
            raise ValueError(str(error)) from None
        shared = next(
            (place for place, pair in enumerate(zip(before, whole, strict=False)) if pair[0] != pair[1]), None
        )
        return whole, min(len(before), len(whole)) if shared is None else shared

    def _written(self, messages: Messages, *, is_open: bool) -> list[int]:
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=is_open)
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def load(told: BaseModel, *, for_training: bool = True) -> Loaded:
    """The model on the GPU, or on the CPU where there is none. Only safetensors are read, and no code of the hub runs.

    Raises:
        UsageError: there is no such model, it can't be quantized here, or nothing says how it writes a chat.
        OtelFeedbackError: it can't be loaded.
    """
    options: dict[str, Any] = {"revision": told.revision} if told.revision else {}
    try:
        tokenizer = AutoTokenizer.from_pretrained(told.name, **options)
        model = AutoModelForCausalLM.from_pretrained(
            told.name,
            **options,
            dtype=_dtype(told),
            use_safetensors=True,
            quantization_config=_quantization(told),
            device_map={"": 0} if torch.cuda.is_available() else None,
        )
    except (OSError, ValueError) as error:
        where = "has no model that can be read" if Path(told.name).is_dir() else "can't be loaded"
        raise OtelFeedbackError(f"{told.name} {where}: {str(error).strip().splitlines()[0]}") from None
    if told.chat_template:
        try:
            tokenizer.chat_template = Path(told.chat_template).read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{told.chat_template} can't be read: {error.strerror}") from None
    if not tokenizer.chat_template:
        raise UsageError(
            f"{told.name} does not say how it writes a chat: take its instruct version, or name a Jinja file, "
            'chat_template = "FILE" below [model]'
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.config.use_cache = not for_training
    return Loaded(model, tokenizer)


def _dtype(told: BaseModel) -> Any:
    if told.dtype == "auto" and not torch.cuda.is_available():
        return torch.float32  # halves are slow on a CPU, and too coarse for small steps
    return "auto" if told.dtype == "auto" else getattr(torch, told.dtype)


def _quantization(told: BaseModel) -> BitsAndBytesConfig | None:
    if told.quantize == "none":
        return None
    if not torch.cuda.is_available() or importlib.util.find_spec("bitsandbytes") is None:
        raise UsageError(
            f"quantize = {told.quantize!r} needs a GPU and the package bitsandbytes (pip install bitsandbytes)"
        )
    if told.quantize == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
