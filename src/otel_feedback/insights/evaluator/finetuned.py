"""The kind ``finetuned``: a small language model that learns to tell disliked answers, by a LoRA adapter and a head.

transformers and PEFT train it; what is stored is adapter and head (safetensors), and which model they belong to.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    set_seed,
)

from otel_feedback.errors import OtelFeedbackError
from otel_feedback.insights.evaluator.answers import Answers, Rows
from otel_feedback.insights.evaluator.asked_model import ModelUse
from otel_feedback.insights.evaluator.folds import Corpus
from otel_feedback.insights.evaluator.kinds import Opinion
from otel_feedback.insights.finetune.training import quiet, save_adapter
from otel_feedback.insights.statistics import Numbers

FILE: Final = "base.json"
MAX_TOKENS: Final = 512
"""Of an answer with the end of what was asked; of long ones the beginning of the answer counts."""
INNER_PARTS: Final = 4
"""One of so many parts is tried by a model that learned from the others; each more would be another training."""
_PROMPT_TOKENS: Final = MAX_TOKENS // 3
_BATCH: Final = 8
_EPOCHS: Final = 3
_LEARNING_RATE: Final = 5e-4
_RANK: Final = 8
_SEED_OF_HEAD: Final = 1

Tokens = list[int]


@dataclass(frozen=True, slots=True)
class Base:
    """The model that learns: ``name`` of a hub or a directory, ``revision`` a commit or ""."""

    name: str
    revision: str = ""

    @classmethod
    def parse(cls, text: str) -> Base:
        """NAME, NAME@REVISION, or a directory."""
        if Path(text).is_dir():
            return cls(str(Path(text).absolute()))
        name, _, revision = text.partition("@")
        return cls(name, revision)

    @property
    def options(self) -> dict[str, Any]:
        """For ``from_pretrained``."""
        return {"revision": self.revision} if self.revision else {}

    def tokenizer(self) -> Any:
        """How text becomes its tokens.

        Raises:
            OtelFeedbackError: it can't be loaded.
        """
        with quiet(), _loading(self):
            tokenizer = AutoTokenizer.from_pretrained(self.name, **self.options)
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer

    def model(self, pad_token_id: int) -> Any:
        """The model with a new head, the same each time.

        Raises:
            OtelFeedbackError: it can't be loaded.
        """
        set_seed(_SEED_OF_HEAD)
        with quiet(), _loading(self):
            model = AutoModelForSequenceClassification.from_pretrained(
                self.name,
                **self.options,
                num_labels=2,
                use_safetensors=True,
                dtype=torch.bfloat16 if torch.cuda.is_available() else torch.float32,
            )
        model.config.pad_token_id = pad_token_id
        return model.to("cuda" if torch.cuda.is_available() else "cpu")


class _loading:  # noqa: N801  # it is used as a statement
    def __init__(self, base: Base) -> None:
        self._base = base

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _at: object) -> None:
        if isinstance(error, OSError | ValueError):
            said = str(error).strip().splitlines()[0]
            raise OtelFeedbackError(f"{self._base.name} can't be loaded: {said}") from None


def tokens_of(tokenizer: Any, answers: Answers) -> list[Tokens]:
    """Of each call the end of its prompt and the beginning of its answer."""
    between = tokenizer.encode("\n\n", add_special_tokens=False)
    found = []
    for prompt, answer in zip(answers.prompts, answers.answers, strict=True):
        asked = tokenizer.encode(prompt[-8 * _PROMPT_TOKENS :], add_special_tokens=False)[-_PROMPT_TOKENS:]
        said = tokenizer.encode(answer[: 8 * MAX_TOKENS], add_special_tokens=False)
        end = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
        found.append([*asked, *between, *said][: MAX_TOKENS - len(end)] + end)
    return found


@dataclass(frozen=True, slots=True)
class Adapted:
    """The model."""

    base: Base
    tokenizer: Any
    model: Any

    def of_tokens(self, tokens: Sequence[Tokens]) -> Numbers:
        """The log odds that each is disliked. A text's score does not depend on its neighbours."""
        self.model.eval()
        found = []
        for each in tokens:
            ids = torch.tensor([each or [self.tokenizer.pad_token_id]], device=self.model.device)
            with torch.no_grad():
                logits = self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0].float()
            found.append(float(logits[1] - logits[0]))
        return np.array(found)

    def opinions(self, answers: Answers) -> list[Opinion]:
        """As ``Model`` has it. It can't tell why."""
        why = f"by what {Path(self.base.name).name} learned of other answers"
        return [Opinion(float(score), why) for score in self.of_tokens(tokens_of(self.tokenizer, answers))]

    def save(self, directory: Path) -> None:
        """As ``Model`` has it."""
        with quiet():
            save_adapter(self.model, directory)
        told = {"name": self.base.name, "revision": self.base.revision}
        (directory / FILE).write_text(json.dumps(told) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Adapted:
        """What ``save`` wrote, over the model that it belongs to.

        Raises:
            ValueError: it can't be read.
            OtelFeedbackError: that model can't be loaded.
        """
        try:
            told = json.loads((directory / FILE).read_text(encoding="utf-8"))
            base = Base(str(told["name"]), str(told["revision"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{directory / FILE} can't be read: {error}") from None
        tokenizer = base.tokenizer()
        with quiet():
            model = PeftModel.from_pretrained(base.model(tokenizer.pad_token_id), str(directory))
        return cls(base, tokenizer, model)


@dataclass(frozen=True, slots=True)
class _Fitted:
    learner: _Learner
    adapted: Adapted
    held_out: Numbers
    choices: dict[str, Any]

    def scores(self, rows: Rows) -> Numbers:
        return self.adapted.of_tokens([self.learner.tokens[row] for row in rows])

    def less_liked(self, first: Rows, second: Rows) -> Numbers:
        return (np.sign(self.scores(first) - self.scores(second)) + 1) / 2

    def model(self) -> Adapted:
        return self.adapted


@dataclass(frozen=True, slots=True)
class _Learner:
    base: Base
    tokenizer: Any
    corpus: Corpus
    tokens: list[Tokens]

    def fit(self, rows: Rows, seed: int) -> _Fitted:
        """Learn from all rows, and once from most of them, so that limits are chosen on rows that were not seen."""
        known, tried = next(iter(self.corpus.parts(rows, INNER_PARTS, seed)))
        held_out = np.full(len(rows), np.nan)
        inner = self._trained(known, seed)
        held_out[np.isin(rows, tried)] = inner.of_tokens([self.tokens[row] for row in rows[np.isin(rows, tried)]])
        choices = {"rank": _RANK, "epochs": _EPOCHS, "learning_rate": _LEARNING_RATE, "base": self.base.name}
        return _Fitted(self, self._trained(rows, seed), held_out, choices)

    def _trained(self, rows: Rows, seed: int) -> Adapted:
        base = self.base.model(self.tokenizer.pad_token_id)
        set_seed(seed)
        lora = LoraConfig(task_type="SEQ_CLS", r=_RANK, lora_alpha=2 * _RANK, target_modules="all-linear")
        with quiet(), tempfile.TemporaryDirectory() as folder:
            model = get_peft_model(base, lora)
            trainer = Trainer(
                model=model,
                args=TrainingArguments(
                    output_dir=folder,
                    num_train_epochs=_EPOCHS,
                    per_device_train_batch_size=_BATCH,
                    learning_rate=_LEARNING_RATE,
                    seed=seed,
                    data_seed=seed,
                    save_strategy="no",
                    logging_strategy="no",
                    report_to=[],
                    disable_tqdm=True,
                    use_cpu=not torch.cuda.is_available(),
                ),
                train_dataset=list(self._examples(rows)),
                data_collator=DataCollatorWithPadding(self.tokenizer),
            )
            trainer.remove_callback(PrinterCallback)
            trainer.train()
        return Adapted(self.base, self.tokenizer, model)

    def _examples(self, rows: Rows) -> Iterator[dict[str, Any]]:
        for row in rows.tolist():
            tokens = self.tokens[row] or [self.tokenizer.pad_token_id]
            yield {
                "input_ids": tokens,
                "attention_mask": [1] * len(tokens),
                "labels": int(self.corpus.is_negative[row]),
            }


class Finetuned:
    """The kind."""

    name = "finetuned"
    folds = 3
    curve = False
    most_pairs = 200
    packages = ("numpy", "torch", "transformers", "peft")

    def __init__(self, base: Base) -> None:
        self._base = base

    def learner(self, corpus: Corpus) -> _Learner:
        """Texts as tokens, once for all trainings.

        Raises:
            OtelFeedbackError: the model can't be loaded.
        """
        tokenizer = self._base.tokenizer()
        return _Learner(self._base, tokenizer, corpus, tokens_of(tokenizer, corpus.answers))

    def load(self, directory: Path) -> Adapted:
        """As ``Kind`` has it."""
        return Adapted.load(directory)


def make(model: str, _base_url: str, _use: ModelUse) -> Finetuned:
    """The kind, with the model that learns."""
    return Finetuned(Base.parse(model))
