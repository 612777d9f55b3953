"""``make bench-data``: a database with 30 days of an LLM app's spans and ratings, to measure queries on."""

from __future__ import annotations

import argparse
import time

from tests.benchmarks.history import RATINGS, SPANS, fill

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-data", description=__doc__)
    parser.add_argument("--spans", type=int, default=SPANS, help="a fifth of them are LLM calls")
    parser.add_argument("--ratings", type=int, default=RATINGS)
    arguments = parser.parse_args()
    settings = Settings.load()
    database = connect(settings.database_url)
    try:
        migrate(database, settings)
        began = time.monotonic()
        fill(database, spans=arguments.spans, ratings=arguments.ratings)
    finally:
        database.close()
    seconds = time.monotonic() - began
    print(f"{arguments.spans:,} spans and {arguments.ratings:,} ratings in {seconds:.0f} s. Ask about them:")
    print('  otel-feedback sql "SELECT Label, count(), avg(Duration) FROM rated_llm_calls GROUP BY Label"')


if __name__ == "__main__":
    main()
