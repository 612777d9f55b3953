"""Training an evaluator on the rated calls of the database, and doing it again from its manifest."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from otel_feedback.clickhouse import statements
from otel_feedback.errors import OtelFeedbackError, UsageError
from otel_feedback.insights import asking, findings
from otel_feedback.insights.asking import Ask
from otel_feedback.insights.chat_model import DEFAULT_BASE_URL
from otel_feedback.insights.contrast_run import Filter
from otel_feedback.insights.duplicates import near_groups
from otel_feedback.insights.evaluator import manifest as manifests
from otel_feedback.insights.evaluator import validation
from otel_feedback.insights.evaluator.answers import Answers
from otel_feedback.insights.evaluator.asked_model import ModelUse
from otel_feedback.insights.evaluator.folds import Corpus
from otel_feedback.insights.evaluator.kinds import ASKS_A_MODEL, NEEDS_A_MODEL, kind_of

STATEMENT: Final = "insights/evaluator_rated"
FEWEST_RATINGS: Final = 30
FEWEST_PER_SIDE: Final = 10
FEWEST_GROUPS: Final = 10
MOST_SHARE: Final = 0.5
_MILLION: Final = 1_000_000
MOMENT: Final = "%Y-%m-%d %H:%M:%S"
_EVER: Final = "1970-01-01 00:00:00"
_COMPARED_CHARACTERS: Final = 500
_STEPS: Final = 3


@dataclass(frozen=True, slots=True)
class Options:
    """How it is trained.

    Attributes:
        kind: ``classifier``; see ``kinds``.
        name: verdicts are recorded as evaluator.NAME.
        precision: how many of the answers that it calls negative people must call so, too; None where no such rate is
            asked for, and an answer is called negative if that is likelier than usual.
        seed: of everything that is drawn.
        most_calls: rated calls that are read; of more, conversations are drawn by a hash of their id.
        model: of a judge, as its server knows it; ``base_url`` is the server's, by default that of OPENAI_BASE_URL.
            Of a finetuned one, the model that learns: of a hub (NAME, or NAME@REVISION), or a directory.
    """

    kind: str = "classifier"
    name: str = ""
    precision: float | None = None
    seed: int = 1
    most_calls: int = 20_000
    model: str = ""
    base_url: str = ""

    def checked(self) -> Options:
        """With the name that it has, if it can be meant.

        Raises:
            UsageError: it can't.
        """
        kind_of(self.kind)
        asks, needs = self.kind in ASKS_A_MODEL, self.kind in NEEDS_A_MODEL
        if needs != bool(self.model):
            raise UsageError(f"the kind {self.kind} " + ("needs a model: --model NAME" if needs else "asks no model"))
        base_url = (self.base_url or os.environ.get("OPENAI_BASE_URL", "") or DEFAULT_BASE_URL) if asks else ""
        if self.precision is not None and not 0 < self.precision < 1:
            raise UsageError(f"a precision of {self.precision:g} can't be promised: name one above 0 and below 1")
        if self.most_calls < 1:
            raise UsageError("at least one call must be read")
        return replace(self, name=manifests.check_name(self.name or self.kind), base_url=base_url)


def train(
    directory: Path,
    ask: Ask | None = None,
    *,
    of: Filter | None = None,
    options: Options | None = None,
    use: ModelUse | None = None,
    store: bool = True,
    progress: Callable[[int], Callable[[int], object]] = lambda _: lambda _: None,
) -> dict[str, Any]:
    """Train an evaluator, measure it, decide on its promotion, and write it to a directory that is not there yet.

    Args:
        directory: where the model and ``manifest.json`` go.
        ask: asks the database (``asker``); None for the one of the environment's settings.
        of: which calls and ratings; by default what end users said of the last 30 days.
        options: how.
        use: how a judge may ask its model.
        store: whether its figures are kept in ``insight_findings``, for the dashboard to show.
        progress: called with the number of steps; what it returns is called with how many more are done.

    Returns:
        The manifest; ``refused`` in it tells why it is not promoted, and is empty if it is.

    Raises:
        UsageError: an option or a moment can't be meant, or something is in the directory.
        OtelFeedbackError: there are too few ratings to learn anything from.
        BudgetSpentError: a judge may ask no more; what was answered is kept, and training again asks the rest.
        ModelError: a judge's model can't be asked.
        DataDirectoryError: the directory can't be written.
        DatabaseError: ClickHouse refused a statement or can't be asked.
    """
    ask, options = ask or asking.asker(), (options or Options()).checked()
    now = datetime.now(UTC)
    values = (of or Filter()).values(now) | {"rated_since": _EVER, "rated_until": now.strftime(MOMENT)}
    counts = asking.rows(ask, "insights/count_calls", values)[0]
    drawn = min(_MILLION, max(1, _MILLION * options.most_calls // max(int(counts["Rated"]), 1)))
    values |= {"drawn": str(drawn), "rater": ""}
    with manifests.new_directory(directory) as unfinished:
        answers = Answers.of(asking.table(ask, STATEMENT, values))
        manifest = _trained(unfinished, answers, values, options, use, progress)
        if store:
            _keep(ask, manifest)
    return manifest


def _trained(
    directory: Path,
    answers: Answers,
    values: Mapping[str, str],
    options: Options,
    use: ModelUse | None,
    progress: Callable[[int], Callable[[int], object]],
) -> dict[str, Any]:
    kind = kind_of(options.kind, options.model, options.base_url, use)
    step = progress(validation.steps_of(kind) + _STEPS)
    corpus, by_people = _corpus(answers, values)
    step(1)
    learner = kind.learner(corpus)
    step(1)
    told = validation.validate(kind, learner, corpus, options.seed, options.precision, lambda: step(1))
    rows = np.arange(len(answers))
    fitted = learner.fit(rows, options.seed)
    calibration, verdicts = validation.fitted_calibration(fitted, corpus, rows, options.precision)
    refused = validation.refusals(told, corpus, by_people=by_people)
    if verdicts.negative_from == float("inf"):
        refused.append(
            f"no limit gives a precision of {options.precision:g}: ask for a lower one, or collect more ratings"
        )
    step(1)
    query = statements.load(f"{STATEMENT}.sql")
    manifest = {
        "kind": options.kind,
        "name": options.name,
        "promoted": not refused,
        "refused": refused,
        "options": asdict(options),
        "chosen": fitted.choices,
        "filter": dict(values),
        "rated_calls": len(answers),
        "negative": int(answers.is_negative.sum()),
        "groups": len(np.unique(corpus.groups)),
        "divided_by": "people and conversations" if by_people else "conversations",
        "query": query,
        "query_sha256": hashlib.sha256(query.encode()).hexdigest(),
        "data_sha256": answers.data_hash(),
        "versions": manifests.versions(kind.packages),
        "calibration": calibration.told(),
        "verdicts": {
            "negative_from": None if verdicts.negative_from == float("inf") else verdicts.negative_from,
            "positive_below": verdicts.positive_below,
        },
        "figures": told,
    }
    return manifests.write(directory, manifest, fitted.model(), answers)


def _keep(ask: Ask, manifest: Mapping[str, Any]) -> None:
    """Store its figures, and nothing of what people wrote."""
    told = (
        "kind",
        "name",
        "version",
        "promoted",
        "refused",
        "rated_calls",
        "negative",
        "groups",
        "divided_by",
        "filter",
    )
    figures = manifest["figures"]
    leads = {name: each[validation.PRIMARY]["lead"] for name, each in figures["baselines"].items()}
    same = {
        "Run": f"evaluator-{secrets.token_hex(8)}",
        "Kind": "evaluator",
        "QueryHash": manifest["query_sha256"],
        "DataHash": manifest["data_sha256"],
    }
    row = {
        "Position": 0,
        "Dimension": manifest["name"],
        "Value": manifest["version"],
        "Detail": {**{name: manifest[name] for name in told}, "figures": figures["evaluator"], "leads": leads},
        "SessionIds": [],
        "TraceIds": [],
    }
    findings.keep(ask, same, [row])


def _corpus(answers: Answers, values: Mapping[str, str]) -> tuple[Corpus, bool]:
    """The calls by people and conversations, or by conversations alone where there are too few people.

    Raises:
        OtelFeedbackError: there are too few of anything.
    """
    negative = int(answers.is_negative.sum()) if len(answers) else 0
    positive = len(answers) - negative
    period = f"from {values['since']} to {values['until']} (UTC)"
    if len(answers) < FEWEST_RATINGS or min(negative, positive) < FEWEST_PER_SIDE:
        raise OtelFeedbackError(
            f"There is too little to learn from: {len(answers)} rated calls {period}, {negative} negative "
            f"and {positive} positive. At least {FEWEST_RATINGS} are needed, {FEWEST_PER_SIDE} of each side; take "
            "a longer period (--since 90d)"
        )
    for by_people in (True, False):
        groups = answers.groups(by_people=by_people)
        sizes = np.bincount(groups)
        if len(sizes) >= FEWEST_GROUPS and sizes.max() <= MOST_SHARE * len(answers):
            same = near_groups(
                f"{prompt[:_COMPARED_CHARACTERS]}\n{answer}"
                for prompt, answer in zip(answers.prompts, answers.answers, strict=True)
            )
            return Corpus(answers, groups, same), by_people
    raise OtelFeedbackError(
        f"The {len(answers)} rated calls {period} are of too few conversations, or most of one: to keep some aside, at "
        f"least {FEWEST_GROUPS} are needed, none with more than {MOST_SHARE:.0%} of the calls. Are sessions recorded?"
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that came out otherwise than the manifest has it."""

    what: str
    was: Any
    now: Any


def reproduce(directory: Path, ask: Ask | None = None, *, use: ModelUse | None = None) -> list[Difference]:
    """Train again from a manifest, and tell what differs: nothing, if data, libraries and figures are the same.

    Raises:
        OtelFeedbackError: the rows that it was trained on are not those in the database any more.
        DataDirectoryError: there is no evaluator.
        DatabaseError: ClickHouse refused a statement or can't be asked.
    """
    was = manifests.read(directory)
    ask = ask or asking.asker()
    answers = Answers.of(asking.table(ask, STATEMENT, was["filter"]))
    if (found := answers.data_hash()) != was["data_sha256"]:
        raise OtelFeedbackError(
            f"The data is not the same any more: {was['rated_calls']} rated calls then, {len(answers)} now, their hash "
            f"is {found[:12]} and was {was['data_sha256'][:12]}. Ratings were changed, erased or expired: train anew"
        )
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder) / "again"
        with manifests.new_directory(again) as unfinished:
            now = _trained(unfinished, answers, was["filter"], Options(**was["options"]), use, lambda _: lambda _: None)
    return [
        Difference(name, was.get(name), now[name]) for name in now if name != "version" and was.get(name) != now[name]
    ]
