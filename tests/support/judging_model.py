"""An OpenAI-compatible server that judges by a rule: it dislikes answers that hold what its criteria quote.

It reads the questions as a language model would, so that nothing but what it is sent decides: criteria come from the
disliked answers that it was shown, and verdicts from the criteria.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.support.scripted_model import Reply, ScriptedModel, says, scripted_model

_QUOTED: Final = re.compile(r'"([^"]+)"')
_PHRASES: Final = ("I am unable", "nicht behilflich", "Δεν μπορώ", "申し訳")

Rule: Any = Callable[[dict[str, Any]], Reply]


def judged(body: dict[str, Any]) -> Reply:
    """What the rule says to a question."""
    properties = body["response_format"]["json_schema"]["schema"]["properties"]
    system, told = body["messages"][0]["content"], json.loads(body["messages"][1]["content"])
    if "dislike_percent" in properties:
        has_it = any(phrase in told["answer"] for phrase in _phrases(system))
        percent = 90 if has_it else 10
        return says(
            json.dumps({"reason": "by the rule", "criteria": [1] if has_it else [], "dislike_percent": percent})
        )
    if "less_liked" in properties:
        first, second = (any(phrase in told[name] for phrase in _phrases(system)) for name in ("first", "second"))
        less = "same" if first == second else "first" if first else "second"
        return says(json.dumps({"reason": "by the rule", "less_liked": less}))
    disliked = "\n".join(each["answer"] for each in told["disliked"])
    found = [f'The answer says "{phrase}".' for phrase in _PHRASES if phrase in disliked]
    return says(json.dumps({"criteria": found or ["The answer is bad."]}, ensure_ascii=False))


def always_first(body: dict[str, Any]) -> Reply:
    """As ``judged``, but of two answers it always likes the first one less."""
    if "less_liked" in body["response_format"]["json_schema"]["schema"]["properties"]:
        return says(json.dumps({"reason": "it stands first", "less_liked": "first"}))
    return judged(body)


def _phrases(system: str) -> list[str]:
    criteria = json.loads(system[system.index("\n{") :])["criteria"]
    return [phrase for text in criteria.values() for phrase in _QUOTED.findall(text)]


@contextmanager
def judging_model(rule: Rule = judged) -> Iterator[ScriptedModel]:
    with scripted_model(rule) as model:
        yield model
