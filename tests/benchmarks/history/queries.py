"""``make bench-queries``: how long queries take on what ``make bench-data`` made, and what a span takes of the disk."""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Final

from tests.benchmarks.history.asked import ASKED

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.database import Database
from otel_feedback.settings import Settings

_EXPORTERS: Final = Path(__file__).with_name("exporters_traces.sql")
_SAMPLE: Final = (
    "toDate(Timestamp) IN (SELECT DISTINCT toDate(Timestamp) AS Day FROM otel_traces ORDER BY Day LIMIT 1, 2)"
)
_BYTES_PER_ROW: Final = (
    "SELECT sum(bytes_on_disk) / sum(rows) AS Bytes FROM system.parts "
    "WHERE active AND database = currentDatabase() AND table = {table:String}"
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-queries", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--merge", action="store_true", help="merge the ratings first, as ClickHouse does when they are ten minutes old"
    )
    parser.add_argument(
        "--no-size", dest="sizes", action="store_false", help="leave the disk out, which copies two days"
    )
    arguments = parser.parse_args()
    database = connect(Settings.load().database_url)
    try:
        (version,) = database.query("SELECT version() AS Version")
        if arguments.merge:
            database.command("OPTIMIZE TABLE rating_deliveries FINAL")
        print(f"ClickHouse {version['Version']}, median of {arguments.rounds}\n\n| query | ms |\n|---|---|")
        for name, statement in ASKED.items():
            print(f"| {name} | {median_milliseconds(database, statement, arguments.rounds):.0f} |", flush=True)
        if arguments.sizes:
            print("\n| table | bytes a span |\n|---|---|")
            for name, size in bytes_per_span(database).items():
                print(f"| {name} | {size:.1f} |", flush=True)
    finally:
        database.close()


def median_milliseconds(database: Database, statement: str, rounds: int) -> float:
    """Of so many rounds, after one that is not counted."""
    taken = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        database.query(statement)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken[1:])


def bytes_per_span(database: Database) -> dict[str, float]:
    """Two days of spans in our table and in one as the Collector's exporter makes it, each in merged parts."""
    (ours,) = database.query("SHOW CREATE TABLE otel_traces")
    schemas = {
        "ours": (ours["statement"].replace("otel_traces", "size_of_ours", 1), "*"),
        "exporters": (_EXPORTERS.read_text(encoding="utf-8"), "* EXCEPT Segment"),
    }
    sizes = {}
    for whose, (schema, columns) in schemas.items():
        table = f"size_of_{whose}"
        database.command(f"DROP TABLE IF EXISTS {table} SYNC")
        database.command(schema)
        database.command(f"INSERT INTO {table} SELECT {columns} FROM otel_traces WHERE {_SAMPLE}")  # noqa: S608
        database.command(f"OPTIMIZE TABLE {table} FINAL")
        (row,) = database.query(_BYTES_PER_ROW, {"table": table})
        sizes[f"otel_traces, {whose}"] = row["Bytes"]
        database.command(f"DROP TABLE {table} SYNC")
    return sizes


if __name__ == "__main__":
    main()
