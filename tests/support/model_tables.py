"""The database of a queue machine: two tables, each with its log of tokens as ClickHouse has them; failing INSERTs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.support.faulty_disk import FaultyDisk, ProcessDied

from otel_feedback.clickhouse.segments import Signal
from otel_feedback.errors import DatabaseError, DatabaseUnavailableError
from otel_feedback.service.durable_queue.segment import Record, scan


class Tables:
    """A table and one that a view fills from it, each with its log of tokens; INSERTs end as ``outcomes`` say.

    away: nothing is stored. half: the view fails. lost: the answer does not come. The others end the process: before,
    in the middle of, and after the INSERT. A segment with a request of ``poison`` is refused for good; its rows may
    stay in the first table.
    """

    def __init__(self, disk: FaultyDisk) -> None:
        self._disk = disk
        self.stored: tuple[dict[str, list[bytes]], ...] = ({}, {})
        """By token, the rows of a table."""
        self.tokens: tuple[set[str], ...] = (set(), set())
        self.poison: set[bytes] = set()
        self.outcomes: list[str] = []

    def rows(self) -> list[Counter[bytes]]:
        """How often each request is in each table."""
        return [Counter(body for bodies in table.values() for body in bodies) for table in self.stored]

    def insert_segment(self, signal: Signal, path: Path, token: str) -> None:
        assert signal == "traces"
        bodies = bodies_of(path)
        outcome = self.outcomes.pop(0) if self.outcomes else "stored"
        if outcome == "away":
            raise DatabaseUnavailableError("away")
        if not self.poison.isdisjoint(bodies):
            self._store(token, bodies, tables=len(self.poison) % 2)
            raise DatabaseError("refused", code=469)
        if outcome != "dies before":
            self._store(token, bodies, tables=1 if outcome in {"half", "dies half"} else 2)
        if outcome.startswith("dies"):
            self._disk.is_dead = True
            raise ProcessDied
        if outcome == "half":
            raise DatabaseError("the view ran out of memory", code=241)
        if outcome == "lost":
            raise DatabaseUnavailableError("no answer came")

    def forget_segment(self, signal: Signal, token: str) -> None:
        assert signal == "traces"
        for table in self.stored:
            table.pop(token, None)

    def segment_is_stored(self, signal: Signal, token: str) -> bool:
        assert signal == "traces"
        return token in self.stored[0]

    def half_done(self) -> set[bytes]:
        """The requests that only the first table has."""
        return {body for token in self.stored[0].keys() - self.stored[1].keys() for body in self.stored[0][token]}

    def lose_tokens(self) -> None:
        """What a power loss may do."""
        for tokens in self.tokens:
            tokens.clear()

    def _store(self, token: str, bodies: list[bytes], tables: int) -> None:
        for table, tokens in list(zip(self.stored, self.tokens, strict=True))[:tables]:
            if token not in tokens:
                tokens.add(token)
                table.setdefault(token, []).extend(bodies)


def bodies_of(path: Path) -> list[bytes]:
    """The requests in a segment, all of which must be sound."""
    found = list(scan(path.read_bytes()))
    assert all(isinstance(each, Record) for each in found), f"{path.name} was offered with damage: {found}"
    return [each.body for each in found if isinstance(each, Record)]
