"""Rated calls of which it is known what makes people dislike them, among much that has nothing to do with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from otel_feedback.insights.contrast import Contrast, Finding

WORDS: Final = tuple(f"word{number}" for number in range(120))
COMMENTS: Final = tuple(f"remark{number}" for number in range(40))
NOISE_ATTRIBUTES: Final = 20
PLANTED: Final = {"prompt_version": 1.5, "tool": 1.5, "attribute region": 1.5, "prompt term": 1.8}
"""What makes calls disliked (version v2, tool search, region eu, the word refund), by the log odds that it adds."""


@dataclass(frozen=True)
class Recipe:
    """How calls are made up.

    ``planted`` are the causes. ``likeness`` is the standard deviation of how much each person dislikes everything, in
    log odds. Where ``habits`` is true a person's calls share service, model, version and attributes, and some people
    rate a hundred times what others do.
    """

    calls: int = 2000
    planted: Mapping[str, float] = field(default_factory=dict)
    likeness: float = 0.0
    habits: bool = False


def made_calls(recipe: Recipe, seed: int) -> pa.Table:
    """The columns of ``insights/contrast_calls.sql``, and ``attributes``; every second call is rated."""
    chance = np.random.default_rng(seed)
    busy = chance.pareto(1.0, 400) + 1 if recipe.habits else np.ones(recipe.calls // 2)
    people = chance.choice(len(busy), recipe.calls, p=busy / busy.sum())
    temper = chance.normal(0, recipe.likeness, len(busy))

    def pick(values: list[str], weights: list[float] | None = None) -> Any:
        """A value for each call; by habit the person's own."""
        own = chance.choice(values, len(busy), p=weights)
        return own[people] if recipe.habits else chance.choice(values, recipe.calls, p=weights)

    model = pick(["small", "large", "thinking"])
    version, region = pick(["v1", "v2", "v3"]), pick(["eu", "us", "asia"])
    noise = [pick([f"{letter}" for letter in "abcd"], [0.6, 0.25, 0.1, 0.05]) for _ in range(NOISE_ATTRIBUTES)]
    tools = chance.random(recipe.calls) < 0.3
    refunds = chance.random(recipe.calls) < 0.15
    prompts = [" ".join([*chance.choice(WORDS, 8), *(["refund"] if has_it else [])]) for has_it in refunds]
    odds = -0.8 + temper[people]
    for cause, is_there in (
        ("prompt_version", version == "v2"),
        ("tool", tools),
        ("attribute region", region == "eu"),
        ("prompt term", refunds),
    ):
        odds = odds + recipe.planted.get(cause, 0.0) * is_there
    dislikes = chance.random(recipe.calls) < 1 / (1 + np.exp(-odds))
    is_rated = np.arange(recipe.calls) % 2 == 0
    same = [""] * recipe.calls
    columns: dict[str, Any] = {
        "TraceId": [f"{number:032x}" for number in range(recipe.calls)],
        "SpanId": [f"{number:016x}" for number in range(recipe.calls)],
        "TimeUnixNano": np.arange(recipe.calls) + 1_790_000_000_000_000_000,
        "Conversation": [f"session-{number // 2}-{person}" for number, person in enumerate(people)],
        "SessionId": [f"session-{number // 2}-{person}" for number, person in enumerate(people)],
        "Person": [f"person-{person}" for person in people],
        "IsRated": is_rated.astype(np.uint8),
        "IsNegative": (is_rated & dislikes).astype(np.uint8),
        "IsPositive": (is_rated & ~dislikes).astype(np.uint8),
        "service": pick(["shop", "help"]),
        "provider": np.where(model == "small", "fernhill", "acme"),
        "request_model": model,
        "prompt_version": version,
        "finish_reason": chance.choice(["stop", "length"], recipe.calls, p=[0.9, 0.1]),
        "tool": [["search"] if each else [] for each in tools],
        "seconds": chance.gamma(2, 1, recipe.calls),
        "seconds_to_first_chunk": chance.gamma(2, 0.2, recipe.calls),
        "input_tokens": chance.integers(10, 500, recipe.calls).astype(float),
        "output_tokens": chance.integers(10, 500, recipe.calls).astype(float),
        "reasoning_tokens": np.zeros(recipe.calls),
        "prompt": prompts,
        "answer": [" ".join(chance.choice(WORDS, 8)) for _ in range(recipe.calls)],
        "comment": [" ".join(chance.choice(COMMENTS, 5)) if chance.random() < 0.4 else "" for _ in range(recipe.calls)],
        "attributes": [
            [f"region={area}", *(f"noise{number}={values[call]}" for number, values in enumerate(noise))]
            for call, area in enumerate(region)
        ],
    }
    for column in ("response_model", "operation", "prompt_name", "status", "error_type", "dialect", "instrumentation"):
        columns[column] = same
    return pa.table({**columns, "temperature": same, "max_tokens": same})


def is_judged(finding: Finding) -> bool:
    """Whether a finding is plainly right or wrong: topics and pairs of words may hold a planted word, and so do."""
    return finding.dimension != "topic" and not ("refund" in finding.value and finding.value != "refund")


def is_true(finding: Finding, recipe: Recipe) -> bool:
    """Whether a finding names a planted cause; the other values of a dimension differ from the planted one."""
    return finding.dimension in recipe.planted and (finding.dimension != "prompt term" or finding.value == "refund")


def false_share(found: Contrast, recipe: Recipe) -> float:
    """The share of false findings among all, 0 where nothing is found."""
    judged = [each for each in found.findings if is_judged(each)]
    return sum(not is_true(each, recipe) for each in judged) / max(len(judged), 1)


def recall(found: Contrast, recipe: Recipe) -> float:
    """The share of the planted causes that are found."""
    return len({each.dimension for each in found.findings if is_true(each, recipe)}) / max(len(recipe.planted), 1)
