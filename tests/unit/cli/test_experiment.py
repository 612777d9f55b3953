"""What an experiment is in words."""

from __future__ import annotations

import argparse

import numpy as np
import pyarrow as pa
import pytest
from tests.support.made_votes import Ballot, made_votes

from otel_feedback.cli import experiment as command
from otel_feedback.cli.experiment_text import lines_of
from otel_feedback.insights import Design, ExperimentRun
from otel_feedback.insights.experiment import compare
from otel_feedback.insights.experiment_run import DIMENSIONS


def told(recipe: Ballot, *, slower: float = 1.0, keep: int | None = None) -> list[str]:
    """The lines of an experiment in which v2's calls take so many times as long, of the first calls only."""
    ratings, calls = (table.slice(0, keep) for table in made_votes(recipe, 1))
    is_v2 = np.array(calls.column("Arm").to_pylist()) == "v2"
    seconds = calls.column("seconds").to_numpy() * np.where(is_v2, slower, 1.0)
    calls = calls.set_column(calls.column_names.index("seconds"), "seconds", pa.array(seconds))
    found = compare(recipe.counted(), ratings, calls, Design(), ("service", "model"))
    return list(lines_of(ExperimentRun("", "experiment", "variant", "", {}, "", "", 3, 2, 7, found)))


def test_what_got_worse_stands_out():
    lines = told(Ballot(votes=600, people=600, shares=(0.5, 0.8)), slower=3)
    assert lines[0] == "2 arms by variant."
    assert "v2 is better than v1, and it does not matter how often one looked." in lines
    (latency,) = [line for line in lines if line.startswith("    latency p50: ")]
    assert latency.endswith(": GOT WORSE")
    assert not [line for line in lines if "tokens" in line and "GOT" in line]
    assert "Left out: 2 more with 7 ratings; name them with --arm." in lines
    assert "Left out: 3 ratings of calls without one." in lines


def test_of_few_ratings_it_says_so_and_what_is_missing():
    lines = told(Ballot(), keep=6)
    assert [line for line in lines if line.startswith("Too few: v2 was rated by ")]
    assert [line for line in lines if "more of v1 and" in line and "more of v2" in line]
    assert "    latency p50: " in "\n".join(lines)
    assert "(too few people)" in "\n".join(lines)


def test_several_arms_are_told_with_the_level_that_holds_for_all():
    lines = told(Ballot(shares=(0.7, 0.7, 0.7)))
    assert lines[-1] == "There are 2 comparisons: intervals are 97.5 % ones, so that all hold together."


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_all_there_is_to_compare_by_can_be_asked_for(dimension: str):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    assert parser.parse_args(["--by", dimension]).by == dimension
