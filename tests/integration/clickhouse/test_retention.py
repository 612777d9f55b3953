"""What has passed its time goes as a whole, and nothing else; asked when it would go, so late ratings count."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from tests.support.kept import counts, everything, removed, trace_ids
from tests.support.otlp import SECOND, log_request
from tests.support.ratings import Call, Submission, current
from tests.support.segments import store

from otel_feedback.clickhouse import deletion, retention
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.retention import Limits, sweep
from otel_feedback.errors import DatabaseError
from otel_feedback.settings import Settings

DAY: Final = 86_400
SETTINGS: Final = Settings.load({})
NOON: Final = int(datetime(2026, 9, 20, 12, tzinfo=UTC).timestamp())


def days_ago(days: float) -> int:
    return int((NOON - days * DAY) * SECOND)


def swept(database: Database, settings: Settings = SETTINGS) -> dict[str, int]:
    return removed(sweep(database, settings, now_unix=NOON))


def message_of(call: Call, at: int) -> Any:
    """A log record with a message of the call, as the GenAI instrumentations send it."""
    request = log_request({"content": "Where is my order?"})
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    record.event_name, record.time_unix_nano = "gen_ai.user.message", at
    record.trace_id, record.span_id = call.trace_id, call.span_id
    return request


def put(database: Database, *calls: Call) -> None:
    """Calls, each with its span, its message and so a row in every table but the ratings'."""
    store(database, *(call.request() for call in calls))
    store(database, *(message_of(call, call.at) for call in calls))


def test_an_unrated_trace_lives_for_its_time_and_then_goes_from_every_table(database: Database):
    stays = Call(at=days_ago(29), session="s")
    put(database, Call(at=days_ago(32), session="s"), stays)
    assert swept(database) == dict.fromkeys(retention.TIME_COLUMNS, 1)
    for table in retention.TIME_COLUMNS:
        assert trace_ids(database, table) == {stays.trace_id.hex()}, table
    assert swept(database) == {}, "and a second sweep finds nothing"


def of_span(call: Call) -> Submission:
    return Submission(call)


def of_trace(call: Call) -> Submission:
    return Submission(call, scope="trace")


def of_response(call: Call) -> Submission:
    return Submission(response_id=call.response_id)


def of_session(call: Call) -> Submission:
    return Submission(scope="session", session=call.session)


EACH_TARGET: Final = pytest.mark.parametrize("rate", [of_span, of_trace, of_response, of_session])


@EACH_TARGET
@pytest.mark.parametrize("days", [39, 1])
def test_a_rated_trace_stays_however_late_it_was_rated(
    database: Database, rate: Callable[[Call], Submission], days: int
):
    rated, other = (
        Call(at=days_ago(40), session="s", response_id="r"),
        Call(at=days_ago(40), session="t", response_id="q"),
    )
    put(database, rated, other)
    store(database, replace(rate(rated), at=days_ago(days)).log())
    swept(database)
    for table in retention.TIME_COLUMNS:
        assert rated.trace_id.hex() in trace_ids(database, table), table
        assert other.trace_id.hex() not in trace_ids(database, table), table


def test_every_trace_of_a_rated_session_stays(database: Database):
    calls = [Call(at=days_ago(40), session=session) for session in ("s", "s", "t")]
    put(database, *calls)
    store(database, replace(of_session(calls[0]), at=days_ago(2)).log())
    swept(database)
    assert trace_ids(database) == {call.trace_id.hex() for call in calls[:2]}


@EACH_TARGET
def test_a_rating_that_was_taken_back_keeps_nothing(database: Database, rate: Callable[[Call], Submission]):
    put(database, call := Call(at=days_ago(40), session="s", response_id="r"))
    rating = replace(rate(call), at=days_ago(39))
    store(database, rating.log(), rating.retracted("id-2", 60).log())
    swept(database)
    assert call.trace_id.hex() not in trace_ids(database)
    assert counts(database)["rating_deliveries"] == 2, "what people did is told for as long as ratings are kept"


def test_an_evaluators_rating_keeps_nothing(database: Database):
    put(database, call := Call(at=days_ago(40)))
    store(database, Submission(call, at=days_ago(39), also={"otel_feedback.source": "evaluator"}).log())
    assert swept(database)["otel_traces"] == 1


def test_a_rated_trace_and_its_rating_go_after_their_own_time(database: Database):
    old, kept = (Call(at=days_ago(days)) for days in (402, 398))
    put(database, old, kept)
    store(database, Submission(old, id="old", at=days_ago(402)).log(), Submission(kept, at=days_ago(398)).log())
    gone = swept(database)
    assert (gone["otel_traces"], gone["rating_deliveries"]) == (1, 1)
    assert trace_ids(database) == {kept.trace_id.hex()}
    assert [row["TraceId"] for row in current(database)] == [kept.trace_id.hex()]


def test_a_trace_over_midnight_goes_as_a_whole_and_not_before_its_newest_span(database: Database):
    before, after = (int(NOON - 31 * DAY - 12 * 3600 + seconds) * SECOND for seconds in (-60, 60))
    call, lone = Call(at=before), Call(at=before)
    put(database, call, replace(call, span_id=b"\x02" * 8, parent=call.span_id, at=after), lone)
    untouched = everything(database)
    midnight = NOON - 12 * 3600
    sweep(database, SETTINGS, now_unix=midnight - DAY - 1)
    assert everything(database) == untouched
    sweep(database, SETTINGS, now_unix=midnight - DAY + 1)
    for table in retention.TIME_COLUMNS:
        assert trace_ids(database, table) == {call.trace_id.hex()}, f"{lone} is gone from {table}"
    assert len(everything(database)["otel_traces"]) == 2
    sweep(database, SETTINGS, now_unix=midnight + 1)
    assert set(counts(database).values()) == {0}


def test_log_records_go_with_their_trace_and_else_by_their_own_time(database: Database):
    put(database, call := Call(at=days_ago(40)))
    store(database, message_of(call, days_ago(3)))  # long after, and still of that trace
    put(database, kept := Call(at=days_ago(3)))
    store(database, message_of(kept, days_ago(40)))
    spanless = Call()
    store(database, message_of(spanless, days_ago(40)), message_of(replace(spanless, span_id=b"\x01" * 8), days_ago(3)))
    for days in (40, 3):
        alone = log_request(f"{days} days ago")
        alone.resource_logs[0].scope_logs[0].log_records[0].time_unix_nano = days_ago(days)
        store(database, alone)
    assert swept(database)["otel_logs"] == 4
    left = database.query("SELECT TraceId, toDayOfMonth(Timestamp) AS Day FROM otel_logs")
    assert {(row["TraceId"], row["Day"]) for row in left} == {
        (kept.trace_id.hex(), 11),
        (kept.trace_id.hex(), 17),
        (spanless.trace_id.hex(), 17),
        ("", 17),
    }
    assert trace_ids(database, "llm_call_messages") == {kept.trace_id.hex(), spanless.trace_id.hex()}


def test_what_stays_is_untouched_bit_by_bit(database: Database):
    kept = [Call(at=days_ago(40), session=f"kept-{number}") for number in range(4)]
    ratings = [Submission(call, id=f"id-{number}", at=days_ago(20)) for number, call in enumerate(kept)]
    put(database, *kept, *(Call(at=days_ago(days), user="u") for days in (29, 3, 0)))
    store(database, *(each.carrier() for each in ratings))
    store(database, *(each.log() for each in ratings))
    before = everything(database)
    put(database, *(Call(at=days_ago(40 + number), session=f"gone-{number}", user="u") for number in range(6)))
    assert swept(database)["otel_traces"] == 6
    assert everything(database) == before


def test_what_a_collector_writes_straight_in_goes_likewise(database: Database):
    insert = (
        "INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, SpanAttributes) "
        "SELECT fromUnixTimestamp64Nano({at:Int64}), {trace:String}, '1', 'chat', map('gen_ai.operation.name', 'chat')"
    )
    for trace, days in (("aa", 40), ("bb", 40), ("cc", 2)):
        database.command(insert, {"at": days_ago(days), "trace": trace})
    database.command(
        "INSERT INTO otel_logs (Timestamp, TraceId, EventName, LogAttributes) SELECT now64(9), 'bb', "
        "'gen_ai.evaluation.result', map('gen_ai.evaluation.name', 'thumbs', 'otel_feedback.id', 'x')"
    )
    gone = swept(database)
    assert (gone["otel_traces"], gone["llm_call_spans"], gone["otel_traces_trace_id_ts"]) == (1, 1, 1)
    assert trace_ids(database) == trace_ids(database, "otel_traces_trace_id_ts") == {"bb", "cc"}


def test_zero_keeps_for_ever(database: Database):
    put(database, call := Call(at=days_ago(2000)), Call(at=days_ago(3000)))
    store(database, Submission(call, at=days_ago(2000)).log())
    for_ever = Settings.load({"OTEL_FEEDBACK_RETENTION": "0d"})
    assert swept(database, for_ever) == {}
    rated_for_ever = Settings.load({"OTEL_FEEDBACK_RETENTION_RATED": "0d"})
    assert swept(database, rated_for_ever)["otel_traces"] == 1
    assert trace_ids(database) == {call.trace_id.hex()}


def test_what_is_rated_never_goes_before_what_is_not(database: Database):
    put(database, call := Call(at=days_ago(20)))
    store(database, Submission(call, at=days_ago(20)).log())
    assert swept(database, Settings.load({"OTEL_FEEDBACK_RETENTION_RATED": "1d"})) == {}


@pytest.mark.parametrize(
    ("retention_text", "largest_delay_seconds"), [("30d", DAY), ("12h", 12 * 360), ("1s", 1), ("400d", DAY)]
)
def test_limits_move_in_steps_so_that_a_day_is_not_written_anew_every_hour(
    retention_text: str, largest_delay_seconds: int
):
    settings = Settings.load({"OTEL_FEEDBACK_RETENTION": retention_text})
    for now in range(NOON, NOON + 3 * DAY, 997):
        limit = datetime.fromisoformat(f"{Limits.at(now, settings).unrated_before}+00:00").timestamp()
        assert 0 <= now - settings.retention_seconds - limit < largest_delay_seconds


@pytest.mark.parametrize("step", range(12))
def test_a_sweep_that_was_killed_is_completed_by_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch, step: int
):
    rated = Call(at=days_ago(40))
    put(database, *(Call(at=days_ago(days), session="s") for days in (40, 41, 3)), rated)
    store(database, Submission(rated, at=days_ago(3)).log())
    command = database.command
    written = iter(range(100))

    def dying(statement: str, *arguments: Any, **settings: Any) -> None:
        if next(written) == step:
            raise KilledError
        command(statement, *arguments, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(database, "command", dying)
        try:
            sweep(database, SETTINGS, now_unix=NOON)
        except KilledError:
            pass
        else:
            assert step > 10, "it was not killed"
    swept(database)
    for table in retention.TIME_COLUMNS:
        assert len(trace_ids(database, table)) == 2, table
    assert swept(database) == {}


class KilledError(Exception):
    """In place of what a kill would have had done."""


def test_a_rating_that_comes_after_the_verdict_does_not_tear_the_trace(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    put(database, call := Call(at=days_ago(40)))
    delete_rows = deletion.delete_rows

    def rated_meanwhile(database: Database, table: str, *arguments: Any, at_once: int) -> int:
        if table == "llm_call_spans":
            store(database, Submission(call, at=days_ago(0)).log())
        return delete_rows(database, table, *arguments, at_once=at_once)

    monkeypatch.setattr(deletion, "delete_rows", rated_meanwhile)
    swept(database)
    for table in retention.TIME_COLUMNS:
        assert call.trace_id.hex() not in trace_ids(database, table), table


def test_two_sweeps_at_once_beside_inserts_leave_what_stays(database: Database):
    put(database, *(Call(at=days_ago(35 + number % 5)) for number in range(30)))
    stays = [Call(at=days_ago(number % 20)) for number in range(6)]
    with ThreadPoolExecutor(3) as pool:
        sweeps = [pool.submit(swept, database) for _ in range(2)]
        for call in stays:
            pool.submit(put, database, call).result()
        for each in sweeps:
            each.result()
    assert swept(database) == {}
    for table in retention.TIME_COLUMNS:
        assert trace_ids(database, table) == {call.trace_id.hex() for call in stays}, table
    assert database.query("SELECT * FROM deletions") == []


def test_rows_that_come_while_a_partition_is_dropped_stay(database: Database, monkeypatch: pytest.MonkeyPatch):
    put(database, Call(at=days_ago(40)))
    late = Call(at=days_ago(40) + SECOND)
    query = database.query
    inserted = []

    def late_insert(statement: str, *arguments: Any, **settings: Any) -> list[Any]:
        rows = query(statement, *arguments, **settings)
        if "_part IN" in statement and "FROM otel_traces WHERE" in statement and not inserted:
            inserted.append(late)
            store(database, late.request())
        return rows

    monkeypatch.setattr(database, "query", late_insert)
    swept(database)
    assert inserted
    assert trace_ids(database) == {late.trace_id.hex()}


def test_a_dry_run_counts_and_changes_nothing(database: Database):
    put(database, Call(at=days_ago(40)), Call(at=days_ago(4)))
    before = everything(database)
    counted = removed(sweep(database, SETTINGS, now_unix=NOON, dry_run=True))
    assert everything(database) == before
    assert counted == swept(database)


def test_what_a_dead_process_began_to_note_is_forgotten_after_a_day(database: Database):
    for run, age in (("dead", 2), ("under way", 0)):
        database.command(
            "INSERT INTO deletions (Run, Kind, Id, Time) "
            "SELECT {run:String}, 'trace', 'x', now() - toIntervalDay({age:UInt32})",
            {"run": run, "age": age},
        )
    swept(database)
    assert database.query("SELECT Run FROM deletions") == [{"Run": "under way"}]


def test_a_database_that_refuses_is_told(database: Database):
    database.command("RENAME TABLE deletions TO moved")
    try:
        with pytest.raises(DatabaseError):
            sweep(database, SETTINGS, now_unix=time.time())
    finally:
        database.command("RENAME TABLE moved TO deletions")
