"""What a run does, from a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, Self, TypeVar

from otel_feedback.errors import UsageError

Quantize = Literal["none", "4bit", "8bit"]
_QUANTIZE: Final = ("none", "4bit", "8bit")
_DTYPES: Final = ("auto", "float32", "bfloat16", "float16")
_SECTIONS: Final = ("model", "lora", "training")
_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class BaseModel:
    """The model that learns.

    Attributes:
        name: of a hub, such as Qwen/Qwen2.5-0.5B-Instruct, or a directory.
        revision: a commit of the hub's repository; without one, what is newest.
        chat_template: a Jinja file that writes messages as the model's text; "" for the tokenizer's own.
        quantize: ``4bit`` or ``8bit`` holds the weights in fewer bits (QLoRA), which needs a GPU and bitsandbytes.
        dtype: of the weights.
    """

    name: str
    revision: str = ""
    chat_template: str = ""
    quantize: str = "none"
    dtype: str = "auto"


@dataclass(frozen=True, slots=True)
class Lora:
    """Low-rank adaptation (Hu et al. 2021).

    Attributes:
        rank: of the two matrices beside each weight.
        alpha: what they add is multiplied by alpha / rank.
        dropout: share of their input that is left out in training.
        targets: names of the layers, or ``all-linear``.
    """

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    targets: str | list[str] = "all-linear"


@dataclass(frozen=True, slots=True)
class Training:
    """How it learns.

    Attributes:
        epochs: how often it sees each row; ``steps``, where above 0, is the number of steps instead.
        batch: rows at once; ``accumulate`` so many batches make one step.
        learning_rate: at the beginning, falling to 0 in a line; 0 for the usual one of the method (1e-4 for answers,
            1e-5 for preferences).
        beta: of kto and dpo: how strongly it is held to the base model.
        max_tokens: of a prompt with its answer; what is longer loses its end.
        seed: of everything that is drawn.
        checkpoint_steps: after so many steps a run that breaks off can go on.
    """

    epochs: float = 1.0
    steps: int = 0
    batch: int = 2
    accumulate: int = 8
    learning_rate: float = 0.0
    beta: float = 0.1
    max_tokens: int = 1024
    seed: int = 1
    checkpoint_steps: int = 50


@dataclass(frozen=True, slots=True)
class Config:
    """A run.

    Attributes:
        data: the directory of an export in the format sft, openai, kto or dpo.
        out: the directory that the adapter goes to.
    """

    data: Path
    out: Path
    model: BaseModel
    lora: Lora = field(default_factory=Lora)
    training: Training = field(default_factory=Training)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The run that a file describes. Paths in it are relative to the file.

        Raises:
            UsageError: it can't be read, or something in it can't be meant.
        """
        try:
            told = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"{path} can't be read: {error}") from None
        where = f"{path}:"
        _known(told, ("data", "out", *_SECTIONS), where)
        sections = {name: told.get(name, {}) for name in _SECTIONS}
        for name, section in sections.items():
            if not isinstance(section, dict):
                raise UsageError(f"{where} {name} must be a table, [{name}]")
        for name in ("data", "out"):
            if not isinstance(told.get(name), str) or not told[name]:
                raise UsageError(f'{where} {name} is missing; write {name} = "a directory"')
        if not sections["model"].get("name"):
            raise UsageError(f'{where} no model; write [model] and below it name = "a model of a hub, or a directory"')
        model = _part(BaseModel, sections["model"], f"{where} model.")
        here = path.parent
        if (here / model.name).is_dir():
            model = BaseModel(**{**asdict(model), "name": str(here / model.name)})
        if model.chat_template:
            model = BaseModel(**{**asdict(model), "chat_template": str(here / model.chat_template)})
        lora = _part(Lora, sections["lora"], f"{where} lora.")
        training = _part(Training, sections["training"], f"{where} training.")
        _check(model, lora, training, where)
        return cls(here / told["data"], here / told["out"], model, lora, training)

    def told(self) -> dict[str, Any]:
        """As it stands in a manifest: what the result follows from, without the places of directories."""
        return {name: asdict(getattr(self, name)) for name in _SECTIONS} | {"data": self.data.name}


def _known(told: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    if unknown := sorted(set(told) - set(names)):
        raise UsageError(f"{where} {unknown[0]!r} is unknown; there are {', '.join(names)}")


def _part(kind: type[_Part], told: Mapping[str, Any], where: str) -> _Part:
    """A section as its class, each value of the type of its default."""
    defaults = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
    _known(told, tuple(defaults), where.rpartition(" ")[0] or where)
    values: dict[str, Any] = {}
    for name, value in told.items():
        wanted = str(defaults[name].type)
        if wanted == "float" and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)  # noqa: PLW2901  # 1 is meant as 1.0
        is_list = isinstance(value, list) and "list" in wanted and all(isinstance(each, str) for each in value)
        if type(value).__name__ not in wanted.split(" | ") and not is_list:
            raise UsageError(f"{where}{name} must be of the type {wanted}, and is {value!r}")
        values[name] = value
    return kind(**values)


def _check(model: BaseModel, lora: Lora, training: Training, where: str) -> None:
    bounds = {
        "lora.rank": (lora.rank, 1, 1024),
        "lora.alpha": (lora.alpha, 1e-6, 1e6),
        "lora.dropout": (lora.dropout, 0, 0.9),
        "training.epochs": (training.epochs, 1e-6, 1000),
        "training.steps": (training.steps, 0, 10_000_000),
        "training.batch": (training.batch, 1, 4096),
        "training.accumulate": (training.accumulate, 1, 4096),
        "training.learning_rate": (training.learning_rate, 0, 1),
        "training.beta": (training.beta, 1e-6, 100),
        "training.max_tokens": (training.max_tokens, 16, 1_000_000),
        "training.seed": (training.seed, 0, 2**32 - 1),
        "training.checkpoint_steps": (training.checkpoint_steps, 1, 1_000_000),
    }
    for name, (value, least, most) in bounds.items():
        if not least <= value <= most:
            raise UsageError(f"{where} {name} must be from {least:g} to {most:g}, and is {value:g}")
    for name, word, words in (("quantize", model.quantize, _QUANTIZE), ("dtype", model.dtype, _DTYPES)):
        if word not in words:
            raise UsageError(f"{where} model.{name} is {word!r}; there are {', '.join(words)}")
    if not lora.targets:
        raise UsageError(f"{where} lora.targets names no layer")
