"""Rows of a training format, made from rated calls.

| format | row | of |
|---|---|---|
| sft | {"messages"} | liked answers |
| openai | {"messages"} | liked answers |
| kto | {"prompt", "completion", "label"} | liked and disliked answers |
| dpo | {"prompt", "chosen", "rejected"} | corrected answers, and opposed answers to one prompt |
| parquet | the call's and its ratings' columns | every rated call |
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from otel_feedback.insights import chat_messages
from otel_feedback.insights.chat_messages import Message, NotTextError
from otel_feedback.insights.opposed import OpposedAnswers
from otel_feedback.insights.rated_calls import RatedCall
from otel_feedback.insights.splits import Splits

Format: TypeAlias = Literal["sft", "kto", "dpo", "openai", "parquet"]
FORMATS: Final[tuple[Format, ...]] = ("sft", "kto", "dpo", "openai", "parquet")

RATING_COLUMNS: Final = (
    "FeedbackId", "Name", "Label", "Value", "Comment", "Correction", "Reasons", "Source",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A row with what it was made from.

    Attributes:
        split: the part of the data set that its conversation belongs to.
        content: what is written.
        said: what a duplicate of it would say, too: the last question and its answers.
        sources: for each call in it {"trace_id", "span_id", "rating_ids", "time"}.
    """

    split: str
    content: dict[str, Any]
    said: str
    sources: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A call that makes no row, and why."""

    why: str


_NOT_AGREED: Final = LeftOut("without consent")


def rows(calls: Iterable[RatedCall], chosen: Format, splits: Splits) -> Iterator[Row | LeftOut]:
    """The rows that these calls make in a format, in the order of the calls; opposed answers come last."""
    if chosen == "parquet":
        yield from (_as_columns(call, splits) if call.is_agreed else _NOT_AGREED for call in calls)
        return
    with OpposedAnswers() as opposed:
        for call in calls:
            if not call.is_agreed:
                yield _NOT_AGREED
                continue
            if not call.label:
                yield LeftOut("neither positive nor negative")
                continue
            if chosen in {"sft", "openai"} and call.label == "negative":
                yield LeftOut("negative")
                continue
            try:
                prompt = chat_messages.conversation(call.row["SystemInstructions"], call.row["InputMessages"])
                answer = chat_messages.answer(call.row["OutputMessages"])
            except NotTextError as error:
                yield LeftOut(str(error))
                continue
            split = splits.of(call.conversation)
            if chosen == "dpo":
                yield from _corrected(call, prompt, answer, split)
                content = {"prompt": prompt, "answer": answer, "source": _source(call)}
                opposed.add(split, prompt, is_positive=call.label == "positive", content=[split, content])
            else:
                yield Row(split, _content(chosen, prompt, answer, call), _said(prompt, answer), [_source(call)])
        for liked, disliked in opposed.pairs():
            yield _opposed(liked, disliked)


def _content(chosen: Format, prompt: list[Message], answer: Message, call: RatedCall) -> dict[str, Any]:
    if chosen == "kto":
        return {"prompt": prompt, "completion": [answer], "label": call.label == "positive"}
    return {"messages": [*prompt, answer]}


def _corrected(call: RatedCall, prompt: list[Message], answer: Message, split: str) -> Iterator[Row | LeftOut]:
    if not call.correction:
        return
    chosen = {"role": "assistant", "content": call.correction}
    if call.correction.strip() == str(answer["content"]).strip():
        yield LeftOut("the correction says the same")
        return
    content = {"prompt": prompt, "chosen": [chosen], "rejected": [answer]}
    yield Row(split, content, _said(prompt, chosen, answer), [_source(call)])


def _opposed(liked: list[Any], disliked: list[Any]) -> Row | LeftOut:
    (split, good), (_, bad) = liked, disliked
    if good["answer"] == bad["answer"]:
        return LeftOut("the same answer is liked and disliked")
    content = {"prompt": good["prompt"], "chosen": [good["answer"]], "rejected": [bad["answer"]]}
    said = _said(good["prompt"], good["answer"], bad["answer"])
    return Row(split, content, said, [good["source"], bad["source"]])


def _as_columns(call: RatedCall, splits: Splits) -> Row:
    ratings = [{name: each[name] for name in RATING_COLUMNS} for each in call.ratings]
    content = {name: value for name, value in call.row.items() if name not in RATING_COLUMNS}
    content |= {"Label": call.label, "Ratings": ratings}
    return Row(splits.of(call.conversation), content, "", [_source(call)])


def _said(prompt: list[Message], *answers: Message) -> str:
    last = next(each["content"] for each in reversed(prompt) if each["role"] == "user")
    return json.dumps([last, *({key: each[key] for key in sorted(each)} for each in answers)], ensure_ascii=False)


def _source(call: RatedCall) -> dict[str, Any]:
    return {
        "trace_id": call.row["TraceId"],
        "span_id": call.row["SpanId"],
        "rating_ids": [each["FeedbackId"] for each in call.ratings],
        "time": call.row["Time"],
    }
