"""What to do next with the ratings that are there: by rules over counts and over what was found before.

Each step says why, and how: a command to run, or a page to open. Where nothing is worth doing there is none.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, Final

from otel_feedback.dashboard.insight_runs import StoredRun
from otel_feedback.dashboard.shown_text import plain

PERIOD_DAYS: Final = 30
MOST_STEPS: Final = 4
FEWEST_RATINGS: Final = 20
"""Of a prompt's version, to be compared with another one: with fewer, only enormous differences show."""
FEWEST_UNREAD: Final = 5
FEWEST_PER_SIDE: Final = 15
FEWEST_TO_LEARN: Final = 300
FEWEST_LIKED: Final = 100
FEWEST_CORRECTED: Final = 30
FEWEST_CALLS: Final = 1000
LOW_RESPONSE: Final = 0.005
_DAY: Final = 86_400 * 10**9
_SHOWN_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True)
class Step:
    """Something worth doing.

    Attributes:
        words: what, and why, in a sentence.
        command: what to run where the service runs, or "".
        link: the page to open, or ""; ``link_words`` say what it shows.
    """

    words: str
    command: str = ""
    link: str = ""
    link_words: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """What the rules look at.

    Attributes:
        figures: the row of ``queries/insight_figures``.
        versions: the rows of ``queries/insight_versions``.
        runs: what was stored, newest first.
        now: Unix nanoseconds.
    """

    figures: Mapping[str, int]
    versions: Sequence[Mapping[str, Any]]
    runs: Sequence[StoredRun]
    now: int

    def newest(self, kind: str, dimension: str = "", value: str = "") -> StoredRun | None:
        """The newest run of a kind, about this dimension and value where they are given."""
        for run in self.runs:
            if run.kind == kind and dimension in {"", run.dimension} and value in {"", run.value}:
                return run
        return None

    def days_since(self, run: StoredRun | None) -> float:
        """Days since a run; without bounds where there was none."""
        return float("inf") if run is None else (self.now - run.at) / _DAY

    def prompts(self) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
        """Each prompt with its versions in the order in which they came; of those whose names can be pasted."""
        known = (row for row in self.versions if _is_plain(row["Prompt"]) and _is_plain(row["Version"]))
        rows = sorted(known, key=lambda row: (str(row["Prompt"]), int(row["FirstUnixSeconds"])))
        for prompt, versions in groupby(rows, key=lambda row: str(row["Prompt"])):
            yield prompt, list(versions)


def next_steps(state: State) -> list[Step]:
    """At most MOST_STEPS steps, what decides most first."""
    return list(islice((step for rule in _RULES for step in rule(state)), MOST_STEPS))


def _decided(state: State) -> Iterator[Step]:
    run = state.newest("experiment")
    if run is None or state.days_since(run) > PERIOD_DAYS:
        return
    for each in run.told.parts("verdicts"):
        arm, control = _shown(each.text("arm")), _shown(each.text("control"))
        link, words = f"/insights?run={run.id}", "See the experiment"
        if each.text("verdict") == "worse":
            said = f"{arm} is worse than {control}: go back, and read why people dislike {arm}."
            yield Step(said, link=link, link_words=words)
        elif each.text("verdict") == "better":
            yield Step(f"{arm} is better than {control}: give it to everyone.", link=link, link_words=words)


def _unread(state: State) -> Iterator[Step]:
    if state.figures["Unread"] >= FEWEST_UNREAD:
        yield Step(
            f"{state.figures['Unread']:,} disliked answers of the last {PERIOD_DAYS} days have no review of yours. "
            "Reading twenty tells more than any figure; j and k lead through them.",
            link=f"/feedback?label=negative&source=end_user&range={PERIOD_DAYS}d",
            link_words="Read them",
        )


def _contrast(state: State) -> Iterator[Step]:
    has_both = min(state.figures["Negative"], state.figures["Positive"]) >= FEWEST_PER_SIDE
    if has_both and state.days_since(state.newest("contrast")) > 7:
        yield Step(
            f"{state.figures['Negative']:,} answers were disliked: look for what they have in common.",
            f"otel-feedback contrast --since {PERIOD_DAYS}d",
        )


def _compare(state: State) -> Iterator[Step]:
    for prompt, versions in state.prompts():
        if len(versions) < 2:
            continue
        before, after = versions[-2:]
        names = f"{_shown(before['Version'])} and {_shown(after['Version'])} of {_shown(prompt)}"
        run = state.newest("experiment", "prompt_version", prompt)
        command = f"otel-feedback experiment --prompt {shlex.quote(prompt)} --since {PERIOD_DAYS}d"
        if run is None or run.at < int(after["FirstUnixSeconds"]) * 10**9:
            yield Step(f"{names} have enough ratings to be compared.", command)
        elif state.days_since(run) > 1 and _has_what_was_missing(run, before, after):
            yield Step(f"{names} now have the ratings that were missing: compare them again.", command)


def _has_what_was_missing(run: StoredRun, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    had = {each.text("value"): each.number("ratings") or 0 for each in run.told.parts("arms")}
    for each in run.told.parts("verdicts"):
        if (each.text("control"), each.text("arm")) == (before["Version"], after["Version"]):
            more = {before["Version"]: each.number("more_control"), after["Version"]: each.number("more_treated")}
            return each.text("verdict") in {"no difference shown", "too few"} and all(
                number is not None and int(version["Ratings"]) >= had.get(version["Version"], 0) + number
                for version in (before, after)
                for number in (more[version["Version"]],)
            )
    return False


def _draft(state: State) -> Iterator[Step]:
    for prompt, versions in state.prompts():
        newest = versions[-1]
        version = str(newest["Version"])
        if int(newest["Negative"]) >= FEWEST_PER_SIDE and state.newest("proposal", prompt, version) is None:
            names = f"--prompt {shlex.quote(prompt)} --version {shlex.quote(version)}"
            yield Step(
                f"{newest['Negative']:,} answers of {_shown(version)} of {_shown(prompt)} were disliked: let a model "
                "draft the next version from them.",
                f"otel-feedback experiment propose {names} --model MODEL",
            )


def _evaluator(state: State) -> Iterator[Step]:
    trained = state.newest("evaluator")
    votes = state.figures["Positive"] + state.figures["Negative"]
    if trained is None:
        if votes >= FEWEST_TO_LEARN and min(state.figures["Positive"], state.figures["Negative"]) >= FEWEST_PER_SIDE:
            yield Step(
                f"{votes:,} ratings may be enough for an evaluator, which judges what nobody rated.",
                f"otel-feedback evaluator train --out judge --since {PERIOD_DAYS}d",
            )
        return
    if not trained.told.is_true("promoted"):
        learned = trained.told.number("rated_calls") or 0
        if learned and votes >= 2 * learned:
            yield Step(
                f"There are twice the ratings of when {_shown(trained.dimension)} was refused: train it again.",
                "otel-feedback evaluator train --out judge-2 --since 90d",
            )
    elif not state.figures["Judged"]:
        yield Step(
            f"The evaluator {_shown(trained.dimension)} was promoted, and has judged nothing yet.",
            "otel-feedback evaluator run DIR --since 7d",
        )
    elif state.days_since(trained) > PERIOD_DAYS:
        yield Step(
            f"The evaluator {_shown(trained.dimension)} is older than {PERIOD_DAYS} days: is it still right?",
            "otel-feedback evaluator drift DIR",
        )


def _export(state: State) -> Iterator[Step]:
    corrected, liked = state.figures["Corrected"], state.figures["Positive"]
    if corrected >= FEWEST_CORRECTED and state.days_since(state.newest("export", "dpo")) > PERIOD_DAYS:
        yield Step(
            f"{corrected:,} ratings say what should have been answered: pairs to train on.",
            f"otel-feedback export --format dpo --out dpo --since {PERIOD_DAYS}d",
        )
    elif liked >= FEWEST_LIKED and state.days_since(state.newest("export")) > PERIOD_DAYS:
        yield Step(
            f"{liked:,} answers were liked: examples to train on.",
            f"otel-feedback export --format sft --out sft --since {PERIOD_DAYS}d",
        )


def _ask_more(state: State) -> Iterator[Step]:
    calls, rated = state.figures["Calls"], state.figures["Rated"]
    if calls >= FEWEST_CALLS and rated < LOW_RESPONSE * calls:
        yield Step(
            f"Of {calls:,} answers {rated:,} were rated, which is too few to hear of most problems: put the thumbs "
            "where people finish reading, and ask for no more than a click."
        )


_RULES: Final[tuple[Callable[[State], Iterator[Step]], ...]] = (
    _decided, _unread, _contrast, _compare, _draft, _evaluator, _export, _ask_more,
)  # fmt: skip


def _is_plain(name: object) -> bool:
    return plain(name, _SHOWN_CHARACTERS) == name


def _shown(name: object) -> str:
    return plain(str(name), _SHOWN_CHARACTERS) or "(no name)"
