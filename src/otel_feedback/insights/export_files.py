"""The files of an export: rows by split, where each came from, and the manifest. The same rows make the same bytes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import pyarrow as pa
import pyarrow.parquet

from otel_feedback.insights.export_rows import RATING_COLUMNS, Row
from otel_feedback.insights.splits import NAMES

MANIFEST: Final = "manifest.json"
DATA: Final = "data"
PROVENANCE: Final = "provenance"
_GROUP_ROWS: Final = 1000
_NUMBERS: Final = ("Seconds", "InputTokens", "OutputTokens")
_TEXTS: Final = (
    "TraceId", "SpanId", "SessionId", "Time", "ServiceName", "Provider", "RequestModel", "ResponseModel", "PromptName",
    "PromptVersion", "FinishReason", "SystemInstructions", "InputMessages", "OutputMessages", "Label",
)  # fmt: skip
_RATING: Final = pa.struct(
    [
        (name, pa.float64() if name == "Value" else pa.list_(pa.string()) if name == "Reasons" else pa.string())
        for name in RATING_COLUMNS
    ]
)
SCHEMA: Final = pa.schema(
    [
        *((name, pa.string()) for name in _TEXTS),
        *((name, pa.float64()) for name in _NUMBERS),
        ("Ratings", pa.list_(_RATING)),
    ]
)


class ExportFiles:
    """Writes ``data/SPLIT.jsonl`` (or ``.parquet``), and line by line ``provenance/SPLIT.jsonl``, below a directory."""

    def __init__(self, directory: Path, *, as_parquet: bool) -> None:
        self._directory = directory
        self._ending = "parquet" if as_parquet else "jsonl"
        self.rows = dict.fromkeys(NAMES, 0)
        self._waiting: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
        for folder in (DATA, PROVENANCE):
            (directory / folder).mkdir(parents=True)
        self._provenance = {name: self._open(PROVENANCE, name) for name in NAMES}
        self._texts: dict[str, IO[str]] = {}
        self._tables: dict[str, pyarrow.parquet.ParquetWriter] = {}
        for name in NAMES:
            if as_parquet:
                self._tables[name] = pyarrow.parquet.ParquetWriter(directory / DATA / f"{name}.parquet", SCHEMA)
            else:
                self._texts[name] = self._open(DATA, name)

    def _open(self, folder: str, name: str) -> IO[str]:
        return (self._directory / folder / f"{name}.jsonl").open("w", encoding="utf-8", newline="\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for name in NAMES:
            self._flush(name)
        for file in (*self._provenance.values(), *self._texts.values(), *self._tables.values()):
            file.close()

    def add(self, row: Row) -> None:
        """Write a row, and beside it where it came from."""
        self.rows[row.split] += 1
        self._provenance[row.split].write(_line(row.sources))
        if self._texts:
            self._texts[row.split].write(_line(row.content))
            return
        self._waiting[row.split].append(row.content)
        if len(self._waiting[row.split]) >= _GROUP_ROWS:
            self._flush(row.split)

    def _flush(self, name: str) -> None:
        if self._waiting[name]:
            self._tables[name].write_table(pa.Table.from_pylist(self._waiting[name], schema=SCHEMA))
            self._waiting[name] = []

    def rows_by_file(self) -> dict[str, int]:
        """How many rows each file of rows has."""
        return {f"{DATA}/{name}.{self._ending}": rows for name, rows in self.rows.items()}

    def hashes(self) -> dict[str, dict[str, Any]]:
        """Of each file, once all are closed, its size in bytes and its SHA-256."""
        names = [*self.rows_by_file(), *(f"{PROVENANCE}/{name}.jsonl" for name in NAMES)]
        return {name: {"bytes": (self._directory / name).stat().st_size, "sha256": self._hash(name)} for name in names}

    def _hash(self, name: str) -> str:
        with (self._directory / name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _line(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # Halves of surrogate pairs are no UTF-8; in JSON they can be written as escapes.
    return (text if _is_utf8(text) else json.dumps(value)) + "\n"


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
