"""Data sets to train on, made from rated calls: which rows, which not, what is masked, and a manifest that tells it."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from otel_feedback.clickhouse import statements
from otel_feedback.errors import DatabaseError, DataDirectoryError, UsageError
from otel_feedback.insights import asking, findings, personal_data
from otel_feedback.insights.asking import Ask
from otel_feedback.insights.consent import Consent
from otel_feedback.insights.contrast_run import Filter
from otel_feedback.insights.dataset_card import NAME as CARD
from otel_feedback.insights.dataset_card import dataset_card
from otel_feedback.insights.duplicates import Duplicates
from otel_feedback.insights.export_files import MANIFEST, ExportFiles
from otel_feedback.insights.export_rows import FORMATS, Format, LeftOut, Row, rows
from otel_feedback.insights.rated_calls import minutes, rated_calls
from otel_feedback.insights.splits import Splits
from otel_feedback.redaction import Redactor

Pii: TypeAlias = Literal["count", "mask", "drop"]
PII: Final[tuple[Pii, ...]] = ("count", "mask", "drop")
_STATEMENT: Final = "insights/export_calls.sql"


@dataclass(frozen=True, slots=True)
class Options:
    """How rows are made.

    Attributes:
        splits: percentages of train, validation and test.
        pii: what looks like personal data (``personal_data``) is counted, masked, or has its rows left out.
        near: whether rows that nearly repeat an earlier one are left out, as those that repeat it always are.
        redactor: the app's own function for texts, applied first; None for none.
        consent: only calls of people who agreed; None for all.
    """

    splits: Splits = field(default_factory=Splits)
    pii: Pii = "count"
    near: bool = True
    redactor: Redactor | None = None
    consent: Consent | None = None


def export(
    chosen: Format,
    directory: Path,
    ask: Ask | None = None,
    *,
    of: Filter | None = None,
    options: Options | None = None,
    store: bool = True,
    progress: Callable[[int], Callable[[int], object]] = lambda _: lambda _: None,
) -> dict[str, Any]:
    """Write a data set of rated calls and return its manifest, which is in its ``manifest.json``, too.

    The same data, filter and options make the same bytes. Rows are streamed: memory does not grow with their number, a
    temporary file does. ``directory`` appears when everything is written; until then it is called ``NAME.unfinished``.

    Args:
        chosen: the format, one of FORMATS.
        directory: a directory that does not exist yet, or is empty.
        ask: asks the database (``asker``); None for the one of the environment's settings.
        of: which calls and ratings; by default what end users said of the last 30 days.
        options: how rows are made.
        store: whether the manifest is kept in ``insight_findings``, too, for the dashboard to show.
        progress: called with the number of ratings; what it returns is called with how many more are done.

    Raises:
        UsageError: the format or a moment can't be read, or the directory holds something.
        DataDirectoryError: the directory can't be written.
        DatabaseError: ClickHouse refused a statement or can't be asked. Where it says that the directory is whole, only
            what is kept of it in ``insight_findings`` is missing.
    """
    if chosen not in FORMATS:
        raise UsageError(f"{chosen!r} is no format; there are {', '.join(FORMATS)}")
    ask, options = ask or asking.asker(), options or Options()
    values = (of or Filter()).values(datetime.now(UTC))
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UsageError(f"{directory} is there already; name a directory that does not exist yet")
    unfinished = directory.with_name(f"{directory.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        told = minutes(ask, values)
        step = progress(sum(count for _, count in told))
        with ExportFiles(unfinished, as_parquet=chosen == "parquet") as files, Duplicates(near=options.near) as seen:
            counts = _Counts()
            calls = counts.counting(rated_calls(ask, values, told, step, options.consent))
            for row in rows(calls, chosen, options.splits):
                kept = counts.kept(row, options, seen)
                if kept is not None:
                    files.add(kept)
        manifest = {
            "format": chosen,
            "filter": values,
            "splits": str(options.splits),
            "pii": options.pii,
            "near_duplicates": "left out" if options.near else "kept",
            "redactor": options.redactor is not None,
            "consent": str(options.consent or ""),
            "query": statements.load(_STATEMENT),
            "query_sha256": hashlib.sha256(statements.load(_STATEMENT).encode()).hexdigest(),
            "rows": files.rows,
            **counts.told(),
            "files": files.hashes(),
        }
        card = dataset_card(chosen, files.rows_by_file(), manifest["consent"])
        (unfinished / CARD).write_text(card, encoding="utf-8")
        (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if directory.exists():
            directory.rmdir()
        unfinished.rename(directory)
    except OSError as error:
        raise DataDirectoryError(f"{error.filename or directory} can't be written: {error.strerror}") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)  # half an export must not lie about: nobody would verify it
    if store:
        _keep(ask, directory, manifest)
    return manifest


def _keep(ask: Ask, directory: Path, manifest: Mapping[str, Any]) -> None:
    """Store what was made: counts and hashes, and nothing of what people wrote."""
    same = {
        "Run": f"export-{secrets.token_hex(8)}",
        "Kind": "export",
        "QueryHash": manifest["query_sha256"],
        "DataHash": hashlib.sha256(json.dumps(manifest["files"], sort_keys=True).encode()).hexdigest(),
    }
    row = {
        "Position": 0,
        "Dimension": manifest["format"],
        "Value": directory.name,
        "Detail": {name: value for name, value in manifest.items() if name != "query"},
        "SessionIds": [],
        "TraceIds": [],
    }
    try:
        findings.keep(ask, same, [row])
    except DatabaseError as error:
        raise DatabaseError(
            f"{directory} is whole, but what it holds can't be kept in insight_findings: {error}. "
            "Leave that out with --no-store",
            code=error.code,
        ) from None


class _Counts:
    """What came in, and what of it is not in the data set."""

    def __init__(self) -> None:
        self._calls = self._ratings = 0
        self._left_out: Counter[str] = Counter()
        self._pii: Counter[str] = Counter()
        self._pii_rows = 0

    def counting(self, calls: Iterator[Any]) -> Iterator[Any]:
        for call in calls:
            self._calls += 1
            self._ratings += len(call.ratings)
            yield call

    def kept(self, row: Row | LeftOut, options: Options, seen: Duplicates) -> Row | None:
        """The row as it is written, or None."""
        if isinstance(row, LeftOut):
            self._left_out[row.why] += 1
            return None
        if row.said:
            verdict = seen.look(row.said, f"{row.content.get('label', '')}")
            if verdict != "new":
                self._left_out[f"{verdict} duplicate"] += 1
                return None
        if options.redactor is not None:
            row = replace(row, content=personal_data.texts_through(row.content, options.redactor))
        found: Counter[str] = Counter()
        content = personal_data.texts_through(row.content, lambda text: personal_data.masked(text, found))
        self._pii += found
        self._pii_rows += bool(found)
        if found and options.pii == "drop":
            self._left_out["personal data"] += 1
            return None
        return replace(row, content=content) if options.pii == "mask" else row

    def told(self) -> dict[str, Any]:
        found = {name: self._pii[name] for name in personal_data.KINDS}
        return {
            "calls": self._calls,
            "ratings": self._ratings,
            "left_out": dict(sorted(self._left_out.items())),
            "personal_data": {**found, "rows": self._pii_rows},
        }
