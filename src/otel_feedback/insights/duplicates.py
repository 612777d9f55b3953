"""Which rows say the same as an earlier one, exactly or nearly, without holding them in memory.

Near duplicates are those whose sets of five-character pieces agree to NEAR (Jaccard), estimated by MinHash (Broder
1997) of 64 permutations; candidates are found by eight bands of eight. What is known of earlier rows lies in a
temporary file. MinHash itself is the few lines below, since a library's values change with its versions, and the rows
with them.
"""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
import unicodedata
import zlib
from collections.abc import Iterable
from types import TracebackType
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from otel_feedback.insights import sqlite_statements

NEAR: Final = 0.85
_PERMUTATIONS: Final = 64
_BANDS: Final = 8
_PIECE_CHARACTERS: Final = 5
_MOST_CHARACTERS: Final = 20_000
_MOST_COMPARED: Final = 1500
_CHANCE: Final = random.Random(1)  # noqa: S311  # no secret; the same numbers everywhere
_FACTORS: Final = np.array([_CHANCE.getrandbits(64) | 1 for _ in range(_PERMUTATIONS)], dtype=np.uint64)
_SUMMANDS: Final = np.array([_CHANCE.getrandbits(64) for _ in range(_PERMUTATIONS)], dtype=np.uint64)

Verdict = Literal["new", "exact", "near"]


class Duplicates:
    """What was seen so far."""

    def __init__(self, *, near: bool = True) -> None:
        self._near = near
        self._seen = sqlite3.connect("")  # a temporary file, gone with the connection
        self._seen.executescript(sqlite_statements.load("seen_texts"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._seen.close()

    def look(self, text: str, kind: str = "") -> Verdict:
        """Whether an earlier text of this kind said the same, whatever its case and spaces; a new one is remembered."""
        plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
        digest = hashlib.blake2b(f"{kind}\n{plain}".encode("utf-8", "replace"), digest_size=16).digest()
        if self._seen.execute(sqlite_statements.load("remember_text"), (digest,)).rowcount == 0:
            return "exact"
        return "near" if self._near and self._is_near(plain[:_MOST_CHARACTERS], kind) else "new"

    def _is_near(self, plain: str, kind: str) -> bool:
        signature = _signature(plain)
        bands = [
            hashlib.blake2b(f"{kind}\n{number}\n".encode() + band.tobytes(), digest_size=12).hexdigest()
            for number, band in enumerate(signature.reshape(_BANDS, -1))
        ]
        for (known,) in self._seen.execute(sqlite_statements.load("signatures_with_bands"), (json.dumps(bands),)):
            if np.mean(np.frombuffer(known, dtype="<u4") == signature) >= NEAR:
                return True
        packed = signature.tobytes()
        self._seen.executemany(sqlite_statements.load("remember_band"), [(band, packed) for band in bands])
        return False


def _signature(text: str) -> NDArray[np.uint32]:
    """The smallest hash of the text's pieces under each permutation, which is one of multiply-shift hashing."""
    count = max(1, len(text) - _PIECE_CHARACTERS + 1)
    pieces = {text[start : start + _PIECE_CHARACTERS] for start in range(count)}
    hashes = np.array([zlib.crc32(each.encode("utf-8", "replace")) for each in pieces], dtype=np.uint64)
    smallest = (hashes[:, None] * _FACTORS + _SUMMANDS).min(axis=0)
    return np.asarray(smallest >> np.uint64(32), dtype="<u4")


def near_groups(texts: Iterable[str]) -> NDArray[np.int64]:
    """For each text the number of its group: texts are together that are nearly the same, or a chain of these.

    Whatever their case and spaces; of each the first _MOST_COMPARED characters are compared. Numbers have no gaps.
    """
    first_with: dict[tuple[int, bytes], int] = {}
    signatures: list[NDArray[np.uint32]] = []
    pairs: list[tuple[int, int]] = []
    for number, text in enumerate(texts):
        plain = " ".join(unicodedata.normalize("NFKC", text[:_MOST_COMPARED]).casefold().split())
        signature = _signature(plain)
        signatures.append(signature)
        for band, values in enumerate(signature.reshape(_BANDS, -1)):
            earlier = first_with.setdefault((band, values.tobytes()), number)
            if earlier != number and np.mean(signatures[earlier] == signature) >= NEAR:
                pairs.append((earlier, number))
    size = len(signatures)
    ends = np.array(pairs, dtype=np.int64).reshape(len(pairs), 2)
    graph = sparse.coo_array((np.ones(len(pairs), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
