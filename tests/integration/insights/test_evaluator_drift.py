"""``otel-feedback evaluator drift``: ratings after the training decide, and only those."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from tests.support.commands import otel_feedback
from tests.support.judged_answers import JudgedAnswer, judged_answers, store_judged
from tests.support.ratings import Submission
from tests.support.segments import store

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.settings import Settings

PERIOD: Final = ("--since", "2026-09-01", "--until", "2026-10-01")
RATED: Final = judged_answers(200)
LATER: Final = judged_answers(160, 7, first=1000)
TRAINED_UNTIL: Final = "2026-09-22 00:00:00"


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drift")
    data_dir = stored(folder / "data", RATED)
    done = otel_feedback(data_dir, "evaluator", "train", "--out", str(folder / "judge"), "--precision", "0.7", *PERIOD)
    assert (done.returncode, done.stderr) == (0, "")
    manifest = json.loads((folder / "judge" / "manifest.json").read_text())
    assert manifest["promoted"] is True
    # As if it had been trained when the first 200 were all there was: what is compared was rated later, by the clock
    # of these ratings.
    manifest["filter"]["rated_until"] = TRAINED_UNTIL
    (folder / "judge" / "manifest.json").write_text(json.dumps(manifest))
    return folder / "judge"


def stored(directory: Path, answers: list[JudgedAnswer]) -> Path:
    database = connect(f"chdb://{directory / 'clickhouse'}")
    migrate(database, Settings.load({}))
    store_judged(database, answers)
    database.close()
    return directory


Drifted = Callable[[list[JudgedAnswer]], tuple[int, str]]


@pytest.fixture
def drifted(judge: Path, tmp_path: Path) -> Drifted:
    def ask(later: list[JudgedAnswer]) -> tuple[int, str]:
        data_dir = stored(tmp_path / "data", [*RATED, *later])
        done = otel_feedback(data_dir, "evaluator", "drift", str(judge))
        assert done.stderr == ""
        return done.returncode, done.stdout

    return ask


def test_people_who_rate_as_before_are_fine(drifted: Drifted):
    code, said = drifted(LATER)
    assert said.startswith("160 calls that classifier@")
    assert code == 0, said
    assert "Fine: nothing is worse than promised" in said


def test_people_who_like_what_was_disliked_are_drift(drifted: Drifted):
    code, said = drifted([replace(each, vote=1 - (each.vote or 0)) for each in LATER])
    assert code == 1, said
    assert "Train it anew: ROC AUC was 0." in said
    assert "a precision of 0.7 was stated and it is 0." in said


def test_few_ratings_tell_nothing(drifted: Drifted):
    code, said = drifted(LATER[:40])
    assert code == 0
    assert said.startswith("40 calls")
    assert said.endswith("These are too few to tell.\n")


def test_recorded_verdicts_are_taken_as_they_were(judge: Path, tmp_path: Path):
    """What was recorded counts, even where the model would say something else now."""
    version = json.loads((judge / "manifest.json").read_text())["version"]
    also = {"otel_feedback.source": "evaluator", "otel_feedback.score.min": 0.0, "otel_feedback.score.max": 1.0}
    verdicts = [
        Submission(each.call, id=f"v{each.number}", name="evaluator.classifier", value=1.0 - (each.vote or 0),
                   rater=f"classifier@{version}", also=also)
        for each in LATER
    ]  # fmt: skip
    data_dir = stored(tmp_path / "data", [*RATED, *LATER])
    database = connect(f"chdb://{data_dir / 'clickhouse'}")
    store(database, *(each.carrier() for each in verdicts))
    database.close()
    done = otel_feedback(data_dir, "evaluator", "drift", str(judge), "--format", "json")
    told = json.loads(done.stdout)
    assert told["judged_before"] == 160
    assert told["figures"]["roc_auc"]["now"]["value"] == 0.0
    assert done.returncode == 1
