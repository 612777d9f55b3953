"""Which part of a data set a conversation belongs to: by a hash of its id, so always the same, and whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from otel_feedback.errors import UsageError

NAMES: Final = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Splits:
    """Percentages of train, validation and test."""

    train: int = 80
    validation: int = 10
    test: int = 10

    def __post_init__(self) -> None:
        parts = (self.train, self.validation, self.test)
        if min(parts) < 0 or sum(parts) != 100 or not self.train:
            raise UsageError(f"{self} is no split: three percentages, the first above 0, that make 100, e.g. 80/10/10")

    def __str__(self) -> str:
        return f"{self.train}/{self.validation}/{self.test}"

    @classmethod
    def parse(cls, text: str) -> Splits:
        """From ``80/10/10``.

        Raises:
            UsageError: it is no such text.
        """
        parts = text.split("/")
        if len(parts) != len(NAMES) or not all(each.isascii() and each.isdigit() for each in parts):
            raise UsageError(f"{text!r} is no split: write three percentages, e.g. 80/10/10")
        return cls(*map(int, parts))

    def of(self, conversation: str) -> str:
        """The part of a conversation."""
        digest = hashlib.blake2b(conversation.encode("utf-8", "replace"), digest_size=8).digest()
        place = int.from_bytes(digest, "big") % 100
        return NAMES[0] if place < self.train else NAMES[1] if place < self.train + self.validation else NAMES[2]
