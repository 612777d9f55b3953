"""A Collector whose ClickHouse exporter writes straight into our tables fills the same views as our service does.

So does one that made its tables itself and filled them long before ours were added.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.benchmarks.loads import LOADS
from tests.support.clickhouse_server import OwnClickHouse, own_clickhouse
from tests.support.collector import needed_collector, running_collector
from tests.support.dialects import FOLDER, recorded
from tests.support.ratings import Call, Submission, only_span
from tests.support.service import running_service, wait_until
from tests.support.traffic import send_all

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.settings import Settings

THROUGH_US = "through_us"
DIRECT = "direct"
BEFORE = "before"
WRITTEN_SECONDS = 60.0
VIEWS = (
    "llm_calls",
    "feedback_events",
    "feedback",
    "rated_llm_calls",
    "traces",
    "rated_traces",
    "sessions",
    "rated_sessions",
    "users",
)
CALLS = [Call(session=f"session-{number % 2}", user="user-1", response_id=f"resp-{number}") for number in range(4)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnClickHouse]:
    """A server with the same requests in three databases: by our service, by a Collector alone, and by a Collector
    into tables of its own, which were migrated afterwards."""
    binary = needed_collector()
    folder = tmp_path_factory.mktemp("two-ways")
    with own_clickhouse(folder) as server:
        urls = {
            name: f"clickhouse://default:@127.0.0.1:{server.http_port}/{name}" for name in (THROUGH_US, DIRECT, BEFORE)
        }
        for name in urls:
            server.execute(f"CREATE DATABASE {name}")
        migrate_database(urls[DIRECT])
        with (
            running_service(folder / "data", {"OTEL_FEEDBACK_DATABASE_URL": urls[THROUGH_US]}) as service,
            running_collector(binary, server, folder, DIRECT, create_schema=False) as receiver,
            running_collector(binary, server, folder_of(folder, BEFORE), BEFORE) as of_old,
        ):
            sent = [(signal, each.SerializeToString()) for signal, each in requests()]
            sent += [("traces", body) for body in LOADS["spans-512"][0](512).requests]
            for address in (service.grpc, receiver.address, of_old.address):
                send_all(address, sent)
            wait_until(lambda: is_written(server), WRITTEN_SECONDS, "rows are missing")
        migrate_database(urls[BEFORE])
        yield server  # all have ended, so the views of the last INSERT are filled too


def migrate_database(url: str) -> None:
    database = connect(url)
    migrate(database, Settings.load({"OTEL_FEEDBACK_DATABASE_URL": url}))
    database.close()


def folder_of(folder: Path, name: str) -> Path:
    (made := folder / name).mkdir()
    return made


def requests() -> Iterator[tuple[str, Any]]:
    """LLM calls of every recorded dialect and of an app, and what becomes of ratings: by each carrier, changed, taken
    back, by several raters, of a session, and of a trace that never comes."""
    for path in sorted(FOLDER.glob("*.json")):
        traces, logs = recorded(path.stem)
        yield "traces", traces
        if logs.resource_logs:
            yield "logs", logs
    for call in CALLS:
        yield "traces", call.request()
    on_the_call = Call(session="session-2").request()
    Submission(id="on-the-call").add_event(only_span(on_the_call))
    yield "traces", on_the_call
    first, second, third, fourth = CALLS
    by_span = Submission(first, id="first", also={"gen_ai.evaluation.explanation": "é 'quoted'\n"})
    yield "traces", by_span.carrier()
    yield "logs", by_span.log()
    yield "logs", by_span.changed("second", value=0.0).log()
    by_log = Submission(second, id="third", name="stars", value=4.0, rater="rater-2")
    yield "logs", by_log.log()
    yield "traces", by_log.retracted("fourth").carrier()
    yield "logs", Submission(second, id="fifth", name="stars", value=2.0, rater="rater-3").log()
    yield "traces", Submission(third, id="sixth", scope="trace").carrier()
    yield "logs", Submission(id="seventh", scope="session", session=fourth.session).log()
    yield "traces", Submission(id="eighth", response_id=fourth.response_id).carrier()
    yield "logs", Submission(Call(), id="ninth").log()


def is_written(server: OwnClickHouse) -> bool | None:
    counts = [
        [int(server.execute(f"SELECT count() FROM {name}.{table}")) for table in ("otel_traces", "otel_logs")]  # noqa: S608
        for name in (THROUGH_US, DIRECT, BEFORE)
    ]
    return (counts[0] == counts[1] == counts[2] and counts[0][0] >= 512 and counts[0][1] > 0) or None


@pytest.mark.parametrize("way", [DIRECT, BEFORE])
@pytest.mark.parametrize("view", VIEWS)
def test_each_way_fills_the_view_alike(server: OwnClickHouse, view: str, way: str):
    for here, there in ((THROUGH_US, way), (way, THROUGH_US)):
        shown, other = (f"SELECT * EXCEPT (ReceivedTime) FROM {each}.{view}" for each in (here, there))  # noqa: S608
        only_here = server.execute(f"SELECT * FROM ({shown} EXCEPT ALL {other}) FORMAT Vertical")  # noqa: S608
        assert only_here == "", f"only {here}"
    assert int(server.execute(f"SELECT count() FROM {way}.{view}")) > 0  # noqa: S608


def test_every_rating_found_what_it_is_of(server: OwnClickHouse):
    found = server.execute(f"SELECT State, count() FROM {DIRECT}.feedback GROUP BY State ORDER BY State")  # noqa: S608
    assert found.splitlines() == ["linked\t6", "unmatched\t1"]
