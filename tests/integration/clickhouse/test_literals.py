"""String literals in shown and in built statements."""

from __future__ import annotations

import pytest

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.database import Database


@pytest.mark.parametrize(
    "text", ["it's \\ \\x41", "a\n\t\0b\x1b[31m", "\u202eevil \u200b\ufeff", "\u00a0é日本🦜", ""], ids=ascii
)
def test_a_literal_is_the_text_that_it_was_made_of_and_hides_nothing(engine: Database, text: str):
    written = statements.literal(text)
    assert written.isprintable()
    assert engine.query(f"SELECT {written} AS Text") == [{"Text": text}]
