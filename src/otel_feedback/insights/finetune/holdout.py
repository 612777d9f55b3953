"""How likely a model finds answers that it did not learn from, before and after, alike for every method.

An answer's likelihood is the mean log probability of its tokens, so that long and short ones can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch

from otel_feedback.insights.finetune.base_model import Loaded, Messages
from otel_feedback.insights.finetune.exported import Exported, Method
from otel_feedback.insights.statistics import Numbers

DRAWS: Final = 1000
PRIMARY: Final[dict[Method, str]] = {"sft": "log_likelihood", "kto": "roc_auc", "dpo": "preferred"}
"""The figure that says whether a run of a method has helped; higher is better for each."""
MEANINGS: Final = {
    "log_likelihood": "mean log probability of a token of the liked answers",
    "roc_auc": "how often, of a liked and a disliked answer, it finds the liked one likelier (0.5 is a coin)",
    "preferred": "share of pairs of which it finds the preferred answer likelier (0.5 is a coin)",
}


@dataclass(frozen=True, slots=True)
class Tried:
    """What came out.

    Attributes:
        likelihoods: of each row its answers' likelihoods: one, or of dpo the chosen and the rejected one.
        labels: of kto whether each row's answer is liked; elsewhere empty.
    """

    likelihoods: Numbers
    labels: Numbers

    def figure(self, method: Method) -> float:
        """PRIMARY of the method."""
        return float(_MEASURES[method](self.likelihoods, self.labels, np.arange(len(self.likelihoods))))


def answers_of(row: dict[str, Any], method: Method) -> list[tuple[Messages, Messages]]:
    """Each answer of a row with what came before it."""
    if method == "sft":
        return [(row["messages"][:-1], row["messages"][-1:])]
    if method == "kto":
        return [(row["prompt"], row["completion"])]
    return [(row["prompt"], row["chosen"]), (row["prompt"], row["rejected"])]


def try_on(loaded: Loaded, exported: Exported, max_tokens: int, step: Callable[[], object]) -> Tried:
    """The likelihoods of the holdout's answers; ``step`` is called after each row."""
    loaded.model.eval()
    found = []
    for row in exported.holdout:
        answers = answers_of(row, exported.method)
        found.append([_likelihood(loaded, *answer, max_tokens=max_tokens) for answer in answers])
        step()
    labels = [float(row["label"]) for row in exported.holdout] if exported.method == "kto" else []
    return Tried(np.array(found), np.array(labels))


def change(before: Tried, after: Tried, method: Method, seed: int) -> tuple[float, float, float]:
    """How much the figure rose, with its 95 % interval by a bootstrap of rows, each drawn with both of its sides."""
    chance = np.random.default_rng(seed)
    measure, size = _MEASURES[method], len(before.likelihoods)
    drawn = []
    for _ in range(DRAWS):
        rows = chance.integers(0, size, size)
        drawn.append(measure(after.likelihoods, after.labels, rows) - measure(before.likelihoods, before.labels, rows))
    low, high = np.nanpercentile(drawn, [2.5, 97.5]) if np.isfinite(drawn).any() else (np.nan, np.nan)
    return after.figure(method) - before.figure(method), float(low), float(high)


def _likelihood(loaded: Loaded, prompt: Messages, completion: Messages, *, max_tokens: int) -> float:
    """NaN where nothing of the answer is within ``max_tokens``."""
    tokens, before = loaded.tokens(prompt, completion)
    tokens = tokens[:max_tokens]
    if len(tokens) <= max(before, 1):
        return float("nan")
    ids = torch.tensor([tokens], device=loaded.model.device)
    with torch.no_grad():
        logits = loaded.model(input_ids=ids).logits[0, :-1].float()
    told = torch.log_softmax(logits, dim=-1).gather(1, ids[0, 1:, None])[:, 0]
    return float(told[max(before, 1) - 1 :].mean())


def _mean(likelihoods: Numbers, _labels: Numbers, rows: Any) -> float:
    return float(np.nanmean(likelihoods[rows, 0])) if np.isfinite(likelihoods[rows, 0]).any() else float("nan")


def _roc_auc(likelihoods: Numbers, labels: Numbers, rows: Any) -> float:
    """Of all pairs of a liked and a disliked answer; ties count half."""
    liked, disliked = (_known(likelihoods[rows, 0][labels[rows] == side]) for side in (1.0, 0.0))
    if not len(liked) or not len(disliked):
        return float("nan")
    below = np.searchsorted(disliked, liked, "left") + np.searchsorted(disliked, liked, "right")
    return float(below.sum() / (2 * len(liked) * len(disliked)))


def _preferred(likelihoods: Numbers, _labels: Numbers, rows: Any) -> float:
    margins = likelihoods[rows, 0] - likelihoods[rows, 1]
    margins = margins[np.isfinite(margins)]
    return float(((np.sign(margins) + 1) / 2).mean()) if len(margins) else float("nan")


def _known(values: Numbers) -> Numbers:
    return np.sort(values[np.isfinite(values)])


_MEASURES: Final[dict[Method, Callable[[Numbers, Numbers, Any], float]]] = {
    "sft": _mean,
    "kto": _roc_auc,
    "dpo": _preferred,
}


def writable(loaded: Loaded, rows: Sequence[dict[str, Any]], method: Method) -> list[int]:
    """The numbers of the rows that the chat template can write, of which something is an answer."""
    kept = []
    for number, row in enumerate(rows):
        try:
            told = [loaded.tokens(*answer) for answer in answers_of(row, method)]
        except ValueError:
            continue
        if all(len(tokens) > before for tokens, before in told):
            kept.append(number)
    return kept
