"""``otel-feedback evaluator`` over conversations in the embedded engine: training, promotion, and doing it again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from tests.support.commands import otel_feedback
from tests.support.judged_answers import as_answers, judged_answers, store_judged

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.errors import DataDirectoryError
from otel_feedback.insights import Filter, asker
from otel_feedback.insights.evaluator import Options, load, train
from otel_feedback.settings import Settings

PERIOD: Final = ("--since", "2026-09-01", "--until", "2026-10-01")
OF: Final = Filter(since="2026-09-01", until="2026-10-01")
RATED: Final = judged_answers(240)


def filled(directory: Path, *parts: Any) -> Path:
    database = connect(f"chdb://{directory / 'clickhouse'}")
    migrate(database, Settings.load({}))
    for part in parts:
        store_judged(database, part)
    database.close()
    return directory


def asked(data_dir: Path) -> Any:
    return asker(Settings.load({"OTEL_FEEDBACK_DATA_DIR": str(data_dir)}))


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("evaluator") / "data", RATED)


@pytest.fixture(scope="module")
def trained(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """An evaluator's directory, and what the command said."""
    directory = tmp_path_factory.mktemp("trained") / "judge"
    done = otel_feedback(
        data_dir, "evaluator", "train", "--out", str(directory), "--as", "shop", "--precision", "0.8", *PERIOD
    )
    assert (done.returncode, done.stderr) == (0, "")
    return directory, done.stdout


def test_what_learns_the_cause_is_promoted_and_says_how_good_it_is(trained: tuple[Path, str]):
    directory, said = trained
    manifest = json.loads((directory / "manifest.json").read_text())
    assert (manifest["promoted"], manifest["refused"]) == (True, [])
    assert manifest["rated_calls"] == 240
    figures = manifest["figures"]
    auc, low, high = figures["evaluator"]["roc_auc"]
    assert 0.85 < low < auc < high <= 1
    assert figures["baselines"]["answer length"]["roc_auc"]["lead"][1] > 0
    assert figures["baselines"]["majority"]["balanced_accuracy"]["value"][0] == 0.5
    assert figures["precision"]["0.8"]["precision"][0] > 0.7
    assert figures["precision"]["0.8"]["recall"][0] > 0.5
    assert figures["learning_curve"][0][0] == 100
    assert sum(calls for _, _, calls in figures["calibration"]["reliability"]) == 240
    assert f"Promoted: shop@{manifest['version']}" in said
    assert said.startswith(f"240 rated calls, {manifest['negative']} negative")


def test_the_model_judges_texts_in_languages_it_has_learned(trained: tuple[Path, str]):
    evaluator = load(trained[0])
    fresh = judged_answers(80, 2, strength=1.0, first=1000)
    opinions = evaluator.model.opinions(as_answers(fresh))
    scores = np.array([each.score for each in opinions])
    disliked = np.array([not each.vote for each in fresh])
    assert scores[disliked].mean() > scores[~disliked].mean() + 1
    assert any("unable" in each.why for each in opinions)
    assert evaluator.rating_name == "evaluator.shop"


def test_it_is_reproduced_to_the_same_figures_and_weights(data_dir: Path, trained: tuple[Path, str]):
    done = otel_feedback(data_dir, "evaluator", "reproduce", str(trained[0]))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "The same data, libraries, figures and model.\n"


def test_what_was_made_with_another_seed_is_told_apart(data_dir: Path, trained: tuple[Path, str], tmp_path: Path):
    other = tmp_path / "other"
    shutil.copytree(trained[0], other)
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["options"]["seed"] = 2
    (other / "manifest.json").write_text(json.dumps(manifest))
    done = otel_feedback(data_dir, "evaluator", "reproduce", str(other))
    assert done.returncode == 1
    assert "figures was" in done.stdout


def test_other_data_is_no_reproduction(trained: tuple[Path, str], tmp_path: Path):
    changed = filled(tmp_path / "data", RATED[:-1])
    done = otel_feedback(changed, "evaluator", "reproduce", str(trained[0]))
    assert done.returncode == 1
    assert "240 rated calls then, 239 now" in done.stderr


def test_ratings_that_say_nothing_of_the_answers_are_refused_with_the_reason(tmp_path: Path):
    data_dir = filled(tmp_path / "data", judged_answers(240, 3, strength=0.0))
    done = otel_feedback(data_dir, "evaluator", "train", "--out", str(tmp_path / "judge"), *PERIOD)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Not promoted: it does not beat the best baseline" in done.stdout
    assert json.loads((tmp_path / "judge" / "manifest.json").read_text())["promoted"] is False


def test_too_few_people_and_a_precision_out_of_reach_are_refused(tmp_path: Path):
    data_dir = filled(tmp_path / "data", judged_answers(180, 4, strength=0.6, people=4))
    manifest = train(tmp_path / "judge", asked(data_dir), of=OF, options=Options(precision=0.999))
    assert manifest["divided_by"] == "conversations"
    assert "too few people rated" in manifest["refused"][0]
    assert "no limit gives a precision of 0.999" in manifest["refused"][-1]
    assert load(tmp_path / "judge").verdicts.labels(np.array([0.999])) == ["neutral"]


def test_too_little_is_told_with_what_to_do(data_dir: Path, tmp_path: Path):
    done = otel_feedback(data_dir, "evaluator", "train", "--out", str(tmp_path / "judge"), "--since", "2020-01-01",
                         "--until", "2020-02-01")  # fmt: skip
    assert done.returncode == 1
    assert "There is too little to learn from: 0 rated calls" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_can_t_be_meant_is_told(data_dir: Path, trained: tuple[Path, str], tmp_path: Path):
    for wrong in (("--kind", "oracle"), ("--as", "a b"), ("--precision", "1"), ("--since", "soon"), ("--as", "x" * 60)):
        done = otel_feedback(data_dir, "evaluator", "train", "--out", str(tmp_path / "judge"), *wrong)
        assert done.returncode == 2, (wrong, done.stderr)
        assert "Traceback" not in done.stderr
    again = otel_feedback(data_dir, "evaluator", "train", "--out", str(trained[0]), *PERIOD)
    assert again.returncode == 2
    assert "is there already" in again.stderr


def test_nothing_but_what_was_written_is_loaded(trained: tuple[Path, str], tmp_path: Path):
    with pytest.raises(DataDirectoryError, match="There is no evaluator"):
        load(tmp_path)
    changed = tmp_path / "changed"
    shutil.copytree(trained[0], changed)
    weights = changed / "model" / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(DataDirectoryError, match="is not what the manifest says"):
        load(changed)


def test_who_was_learned_from_and_erased_is_named_by_verify(trained: tuple[Path, str], tmp_path: Path):
    data_dir = filled(tmp_path / "data", RATED)
    fine = otel_feedback(data_dir, "export", "verify", str(trained[0]))
    assert (fine.returncode, fine.stderr) == (0, "")
    erased = otel_feedback(data_dir, "erase", "--user", "person-7", "--yes")
    assert erased.returncode == 0, erased.stderr
    done = otel_feedback(data_dir, "export", "verify", str(trained[0]))
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith(f"{trained[0]}: 4 row(s) must go")
