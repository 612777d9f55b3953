"""kill -9 again and again while refused requests are searched for: all others are stored once, these are kept once."""

from __future__ import annotations

import random
import time
from pathlib import Path

from tests.support.commands import otel_feedback
from tests.support.service import RunningService, wait_until
from tests.support.traffic import SPANS_PER_REQUEST, counts, spans_of, wait_until_written
from tests.support.written import NAME, bodies_of, put_segment

REQUESTS = 64
POISON = (5, 6, 40)
KILLS = 5
FAILING_VIEW = (
    "CREATE MATERIALIZED VIEW zz_mv TO otel_traces_trace_id_ts AS SELECT TraceId FROM otel_traces "
    "WHERE intDiv(1, SpanAttributes['test.key'] NOT LIKE 'poison%') = 2"
)


def test_killed_in_the_middle_of_the_search(tmp_path: Path, database: dict[str, str]):
    chance = random.Random(11)
    data_dir = tmp_path / "data"
    for command in (["migrate"], ["sql", "--write", FAILING_VIEW]):
        done = otel_feedback(data_dir, *command, environment=database)
        assert done.returncode == 0, done.stderr
    keys = [f"poison {number}" if number in POISON else f"good {number}" for number in range(REQUESTS)]
    bodies = [spans_of(key).SerializeToString() for key in keys]
    queue_dir = data_dir / "queue" / "traces"
    queue_dir.parent.mkdir()
    put_segment(queue_dir.parent, bodies).parent.rename(queue_dir)
    service = RunningService(data_dir, database)

    def is_searching() -> bool | None:
        is_over = not any(queue_dir.glob("*.*"))
        return is_over or any(path.stem.count(".") or path.suffix == ".refused" for path in queue_dir.iterdir()) or None

    try:
        for _ in range(KILLS):
            service.start()
            wait_until(is_searching, 60, "nothing was refused")
            time.sleep(chance.uniform(0.0, 0.4))  # how far the search has come by then is what the test varies
            service.kill()
        service.start()
        wait_until_written(service, 120)
        spans = counts(
            service, "SELECT SpanAttributes['test.key'] AS Key, count() AS Rows FROM otel_traces GROUP BY Key"
        )
        assert spans == {key: SPANS_PER_REQUEST for key in keys if key.startswith("good")}
        calls = service.sql("SELECT count() AS Rows, uniqExact(TraceId, SpanId) AS Ids FROM llm_calls")[0]
        assert int(calls["Rows"]) == int(calls["Ids"]) == (REQUESTS - len(POISON)) * SPANS_PER_REQUEST
    finally:
        service.stop()
    kept = {path.stem: bodies_of(path) for path in (data_dir / "rejected" / "traces").glob("*.segment")}
    assert kept == {f"{NAME}.{number}-{number + 1}": [bodies[number]] for number in POISON}
    for name in kept:
        assert "Division by zero" in (data_dir / "rejected" / "traces" / f"{name}.segment.reason").read_text()
