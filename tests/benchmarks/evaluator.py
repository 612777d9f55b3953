"""How good an evaluator gets with how many ratings, and what training takes: on made-up answers, or on pairs of a file.

The file has a JSON object a line, ``chosen`` and ``rejected``, each a conversation of turns that begin with
``\\n\\nHuman: `` and ``\\n\\nAssistant: ``, as in Anthropic's hh-rlhf (Bai and others 2022); ``.gz`` is unpacked. The
last answer of each is rated; a pair is of one conversation, and ten pairs are of one person.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from tests.support.judged_answers import JudgedAnswer, as_answers, judged_answers

from otel_feedback.insights.duplicates import near_groups
from otel_feedback.insights.evaluator import validation
from otel_feedback.insights.evaluator.answers import Answers
from otel_feedback.insights.evaluator.folds import Corpus
from otel_feedback.insights.evaluator.kinds import kind_of

PAIRS_OF_A_PERSON: Final = 10
MADE_CALLS: Final = (100, 1000, 10_000)


def main(argv: list[str] | None = None) -> None:
    """Print a table of each set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, help="a file of pairs; default: made-up answers")
    parser.add_argument("--most", type=int, default=10_000, help="rated calls")
    arguments = parser.parse_args(argv)
    print(
        "| rated calls | ROC AUC | ahead of the best baseline | promoted | by calls learned from | CPU s | peak MiB |"
    )
    print("|---|---|---|---|---|---|---|")
    if arguments.pairs:
        _print_row(as_answers(list(_of_pairs(arguments.pairs))[: arguments.most]))
        return
    for count in (each for each in MADE_CALLS if each <= arguments.most):
        _print_row(as_answers(judged_answers(count, 1, strength=0.7, people=count // 5)))


def _of_pairs(path: Path) -> Iterator[JudgedAnswer]:
    unpack: Any = gzip.open if path.suffix == ".gz" else open
    with unpack(path, "rt", encoding="utf-8") as file:
        for pair, line in enumerate(file):
            told = json.loads(line)
            for vote, side in enumerate(("rejected", "chosen")):
                before, _, answer = told[side].rpartition("\n\nAssistant: ")
                question = before.rpartition("\n\nHuman: ")[2]
                yield JudgedAnswer(2 * pair + vote, question, answer, vote, pair // PAIRS_OF_A_PERSON)


def _print_row(answers: Answers) -> None:
    began = time.process_time()
    texts = (f"{prompt[:500]}\n{answer}" for prompt, answer in zip(answers.prompts, answers.answers, strict=True))
    corpus = Corpus(answers, answers.groups(), near_groups(texts))
    kind = kind_of("classifier")
    told = validation.validate(kind, kind.learner(corpus), corpus, 1, None, lambda: None)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    name, (_, lead) = validation.best_baseline(told)
    curve = ", ".join(f"{calls:.0f}: {value:.3f}" for calls, value, _, _ in told["learning_curve"])
    auc, low, high = told["evaluator"][validation.PRIMARY]
    refused = validation.refusals(told, corpus, by_people=True)
    print(
        f"| {len(answers)} | {auc:.3f} ({low:.3f} to {high:.3f}) | {lead.value:+.3f} ({lead.low:+.3f} to "
        f"{lead.high:+.3f}), {name} | {'no' if refused else 'yes'} | {curve} | {seconds:.0f} | {peak:.0f} |",
        flush=True,
    )
    assert np.isfinite(auc)


if __name__ == "__main__":
    main()
