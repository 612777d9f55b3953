"""The kind ``judge``: a language model that judges by criteria, which it drafts from what people disliked.

Criteria and examples come from what is learned from alone, so what is tried is as new to it as to any other kind.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from otel_feedback.insights import features
from otel_feedback.insights.chat_model import ModelError
from otel_feedback.insights.contrast import Limits, find
from otel_feedback.insights.evaluator import judge_questions
from otel_feedback.insights.evaluator.answers import Answers, Rows
from otel_feedback.insights.evaluator.asked_model import AskedModel, ModelUse
from otel_feedback.insights.evaluator.folds import Corpus
from otel_feedback.insights.evaluator.kinds import Opinion
from otel_feedback.insights.statistics import Numbers

FILE: Final = "judge.json"
SHOWN_DISLIKED: Final = 12
SHOWN_LIKED: Final = 8
EXAMPLES_PER_SIDE: Final = 3
CALIBRATION_CALLS: Final = 60
"""Rated calls that it has not been shown, by whose verdicts probabilities and limits are found."""
MOST_FINDINGS: Final = 8
_UNKNOWN: Final = 0.5
_LESS_LIKED: Final = {"first": 1.0, "same": 0.5, "second": 0.0}
_NUMBERS: Final = ("IsRated", "IsNegative", "IsPositive", "TimeUnixNano", *features.NUMBER_COLUMNS)


@dataclass(frozen=True, slots=True)
class Judge:
    """The model: criteria and examples for a language model.

    Attributes:
        examples: rated answers, each with ``disliked``.
    """

    name: str
    criteria: Sequence[str]
    examples: Sequence[dict[str, Any]]
    asked: AskedModel

    def opinions(self, answers: Answers) -> list[Opinion]:
        """As ``Model`` has it; an answer that the model says nothing of is as likely disliked as not."""
        questions = [
            judge_questions.judge(self.criteria, self.examples, prompt, answer)
            for prompt, answer in zip(answers.prompts, answers.answers, strict=True)
        ]
        return [self._opinion(each) for each in self.asked.ask_all(questions)]

    def _opinion(self, told: Any) -> Opinion:
        if isinstance(told, ModelError):
            return Opinion(_UNKNOWN, f"no verdict: {told}")
        met = [self.criteria[number - 1] for number in told["criteria"] if 1 <= number <= len(self.criteria)]
        return Opinion(
            told["dislike_percent"] / 100, " ".join([told["reason"].strip(), *(f"[{each}]" for each in met)])
        )

    def less_liked(self, prompts: Sequence[str], first: Sequence[str], second: Sequence[str]) -> Numbers:
        """How sure the first of two answers is liked less: each pair is asked in both orders, and both must agree."""
        questions = [
            judge_questions.compare(self.criteria, prompt, *pair)
            for prompt, one, other in zip(prompts, first, second, strict=True)
            for pair in ((one, other), (other, one))
        ]
        told = [
            _UNKNOWN if isinstance(each, ModelError) else _LESS_LIKED[each["less_liked"]]
            for each in self.asked.ask_all(questions)
        ]
        as_shown, turned = np.array(told[::2], dtype=np.float64), 1 - np.array(told[1::2], dtype=np.float64)
        return np.where(as_shown == turned, as_shown, _UNKNOWN)

    def save(self, directory: Path) -> None:
        """As ``Model`` has it. The examples are what people wrote."""
        told = {
            "model": self.name,
            "base_url": self.asked.base_url,
            "criteria": list(self.criteria),
            "examples": list(self.examples),
        }
        (directory / FILE).write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Fitted:
    corpus: Corpus
    judge: Judge
    held_out: Numbers
    choices: dict[str, Any]

    def scores(self, rows: Rows) -> Numbers:
        opinions = self.judge.opinions(self.corpus.answers.take(rows))
        return np.array([each.score for each in opinions], dtype=np.float64)

    def less_liked(self, first: Rows, second: Rows) -> Numbers:
        answers = self.corpus.answers
        prompts, one, other = (
            [texts[row] for row in rows]
            for texts, rows in ((answers.prompts, first), (answers.answers, first), (answers.answers, second))
        )
        return self.judge.less_liked(prompts, one, other)

    def model(self) -> Judge:
        return self.judge


@dataclass(frozen=True, slots=True)
class _Learner:
    corpus: Corpus
    name: str
    asked: AskedModel

    def fit(self, rows: Rows, seed: int) -> _Fitted:
        """Draft criteria from some of the rows, and judge some of the others to find probabilities."""
        drawn = np.random.default_rng(seed).permutation(rows)
        is_negative = self.corpus.is_negative[drawn] > 0
        has_comment = np.array([bool(self.corpus.answers.comments[row]) for row in drawn], dtype=bool)
        commented_first = drawn[is_negative][np.argsort(~has_comment[is_negative], kind="stable")]
        disliked = self._of_different_groups(commented_first, SHOWN_DISLIKED)
        liked = self._of_different_groups(drawn[~is_negative], SHOWN_LIKED)
        told = self.asked.ask(
            judge_questions.draft(self._shown(disliked), self._shown(liked), _findings(self.corpus.answers.take(rows)))
        )
        criteria = [each.strip() for each in told["criteria"] if each.strip()][: judge_questions.MOST_CRITERIA]
        examples = [
            {**each, "disliked": is_disliked}
            for side, is_disliked in ((disliked, True), (liked, False))
            for each in self._shown(side[:EXAMPLES_PER_SIDE])
        ]
        judge = Judge(self.name, criteria, examples, self.asked)
        shown_groups = self.corpus.groups[np.concatenate([disliked, liked])]
        unseen = drawn[~np.isin(self.corpus.groups[drawn], shown_groups)]
        if len(unseen) < CALIBRATION_CALLS:
            unseen = drawn[~np.isin(drawn, np.concatenate([disliked, liked]))]
        fitted = _Fitted(self.corpus, judge, np.full(len(rows), np.nan), {"criteria": criteria})
        chosen = unseen[:CALIBRATION_CALLS]
        place = {int(row): number for number, row in enumerate(rows)}
        fitted.held_out[[place[int(row)] for row in chosen]] = fitted.scores(chosen)
        return fitted

    def _of_different_groups(self, rows: Rows, most: int) -> Rows:
        _, first = np.unique(self.corpus.groups[rows], return_index=True)
        return rows[np.sort(first)][:most]

    def _shown(self, rows: Rows) -> list[dict[str, str]]:
        answers = self.corpus.answers
        return [
            judge_questions.example(answers.prompts[row], answers.answers[row], answers.comments[row]) for row in rows
        ]


def _findings(answers: Answers) -> list[str]:
    """What sets the disliked ones apart in these texts, as ``contrast`` finds it."""
    count = len(answers)
    columns: dict[str, Any] = {name: [""] * count for name in features.VALUE_COLUMNS}
    columns |= {name: np.zeros(count) for name in _NUMBERS}
    columns |= {
        "TraceId": list(answers.trace_ids),
        "SpanId": list(answers.span_ids),
        "SessionId": list(answers.session_ids),
        "Conversation": list(answers.conversations),
        "Person": [people[0] if people else "" for people in answers.people],
        "TimeUnixNano": list(answers.unix_nano),
        "IsRated": np.ones(count),
        "IsNegative": answers.is_negative,
        "IsPositive": 1 - answers.is_negative,
        "prompt": list(answers.prompts),
        "answer": list(answers.answers),
        "comment": list(answers.comments),
        "output_tokens": answers.answer_characters,
    }
    columns["tool"] = columns["attributes"] = pa.array([[]] * count, type=pa.list_(pa.string()))
    found = find(pa.table(columns), "negative", Limits())
    return [
        f"{each.dimension.replace('output_tokens', 'answer characters')} {each.value!r}: {each.share_with:.0%} are "
        f"disliked with it, {each.share_without:.0%} without"
        for each in found.findings
        if not each.same_as
    ][:MOST_FINDINGS]


class JudgeKind:
    """The kind, with a model to ask."""

    name = "judge"
    folds = 2
    curve = False
    most_pairs = 200
    packages = ("numpy", "scipy", "scikit-learn", "httpx")

    def __init__(self, model: str, base_url: str, use: ModelUse) -> None:
        self._model = model
        self._base_url = base_url
        self._use = use

    def learner(self, corpus: Corpus) -> _Learner:
        """As ``Kind`` has it."""
        return _Learner(corpus, self._model, AskedModel(self._model, self._base_url, self._use))

    def load(self, directory: Path) -> Judge:
        """As ``Kind`` has it."""
        try:
            told = json.loads((directory / FILE).read_text(encoding="utf-8"))
            criteria, examples = [str(each) for each in told["criteria"]], [dict(each) for each in told["examples"]]
            model, base_url = str(told["model"]), str(told["base_url"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{directory / FILE} can't be read: {error}") from None
        return Judge(model, criteria, examples, AskedModel(model, base_url, self._use))


def make(model: str, base_url: str, use: ModelUse) -> JudgeKind:
    """The kind for a model at an OpenAI-compatible address; "" for that of OPENAI_BASE_URL."""
    return JudgeKind(model, base_url, use)
