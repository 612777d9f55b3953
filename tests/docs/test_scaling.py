"""The table of docs/scaling.md follows from the figures of the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "scaling.md").read_text()
README = (ROOT / "README.md").read_text()


def figure(pattern: str, text: str = README) -> float:
    """The number of the one place that reads so."""
    (found,) = re.findall(pattern, text)
    return float(found.replace(",", ""))


CPU_SECONDS = figure(r"fsynced before the answer \| ([\d.]+) s per 100,000 spans") / 100_000
BYTES = figure(r"A span takes (\d+) bytes")


@pytest.mark.parametrize("row", re.findall(r"^\| ([\d,]+) \| ([\d.]+) % .*\| ([\d.]+) GB \|$", DOCUMENT, re.MULTILINE))
def test_a_row_follows_from_what_was_measured(row: tuple[str, str, str]):
    spans, percent, gigabytes = (float(each.replace(",", "")) for each in row)
    assert percent == pytest.approx(spans * CPU_SECONDS * 100, rel=0.2)
    assert gigabytes == pytest.approx(spans * 86_400 * BYTES / 1e9, rel=0.06)


def test_so_do_the_figures_in_its_text():
    visible, acknowledged = (
        figure(rf"fsynced before the answer \|.*\| ([\d,]+) spans/s {end}") for end in (r"\| \d", r"\|\n")
    )
    assert figure(r"store ([\d,]+) spans a second", DOCUMENT) == visible
    assert figure(r"acknowledge ([\d,]+) a\nsecond", DOCUMENT) == acknowledged
    assert figure(r"cost (\d+) s of that CPU", DOCUMENT) == pytest.approx(4e6 * CPU_SECONDS)
    assert figure(r"CPU and ([\d.]+) GB of", DOCUMENT) == pytest.approx(4e6 * BYTES / 1e9, rel=0.02)


def test_the_test_that_it_names_is_there():
    for path in re.findall(r"pytest (tests/\S+\.py)", DOCUMENT):
        assert (ROOT / path).exists()
