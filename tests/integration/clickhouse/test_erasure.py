"""A person is erased from every table and off the disk, and nobody else is touched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from tests.support.foreign_ratings import evaluation_log, evaluation_span, thumbs_of_microsoft
from tests.support.kept import counts, everything, removed, trace_ids
from tests.support.otlp import NOON, SECOND, attributes, log_request
from tests.support.ratings import Call, Submission, current, only_span
from tests.support.segments import store

from otel_feedback import semconv
from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.embedded import EmbeddedDatabase
from otel_feedback.clickhouse.erasure import Erased, erase

DAY: Final = 86_400 * SECOND
SECRET: Final = "bergamot"
"""In everything that is of the person, their id among it, and in nothing else."""
WHO: Final = f"user-{SECRET}"
SAID: Final = {"gen_ai.evaluation.explanation": f"I said {SECRET}"}


def message_of(call: Call, text: str) -> Any:
    request = log_request({"content": text})
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    record.event_name, record.time_unix_nano = "gen_ai.user.message", call.at
    record.trace_id, record.span_id = call.trace_id, call.span_id
    return request


def with_rating(call: Call, *ratings: Submission) -> Any:
    request = call.request()
    for each in ratings:
        each.add_event(only_span(request))
    return request


OTHERS: Final = [
    Call(user="carl", session="carls", prompt="hello", response_id="resp-carl", at=NOON + day * DAY)
    for day in (0, 1, 7)
]
ON_THE_SPAN: Final = replace(OTHERS[0], trace_id=b"\x07" * 16, span_id=b"\x07" * 8, session="shared")
NAMELESS: Final = Call(session="nameless", prompt="nobody")
BY_CARL: Final = Submission(OTHERS[1], id="carls-2", rater="carl").carrier()
OF_NO_TRACE: Final = log_request("a log of no trace")
CARLS: Final = Submission(ON_THE_SPAN, id="carls", rater="carl")


def store_others(database: Database, *on_the_span: Submission) -> None:
    """What must stay; ``on_the_span`` are ratings beside Carl's own on one of his spans."""
    store(
        database,
        *(call.request() for call in (*OTHERS, NAMELESS)),
        with_rating(ON_THE_SPAN, CARLS, *on_the_span),
        BY_CARL,
    )
    store_finding(database, "hello", OTHERS[0])
    logs = [message_of(call, "hello") for call in OTHERS]
    store(database, *logs, Submission(OTHERS[1], id="carls-2", rater="carl").log(), OF_NO_TRACE)


OWN: Final = Call(user=WHO, session="own", prompt=f"I am {SECRET}", response_id="resp-own", at=NOON - 20 * DAY)
NEXT_DAY: Final = replace(OWN, span_id=b"\x09" * 8, user="", session="", parent=OWN.span_id, at=OWN.at + DAY)
"""Of the same trace, and names nobody."""
OF_THE_SESSION: Final = Call(session="own", prompt=f"still {SECRET}")
IN_SHARED: Final = Call(user=WHO, session="shared", prompt=f"{SECRET} among others")
GIVEN: Final = Submission(OTHERS[2], id="given", rater=WHO, also=SAID)
"""On somebody else's trace."""


def store_finding(database: Database, value: str, call: Call) -> None:
    database.command(
        "INSERT INTO insight_findings (Run, Time, Value, SessionIds, TraceIds)"
        " SELECT 'run', '2026-11-01', {value:String}, [{session:String}], [{trace:String}]",
        {"value": value, "session": call.session, "trace": call.trace_id.hex()},
    )


def store_person(database: Database) -> None:
    store_finding(database, SECRET, OWN)
    store_finding(database, f"{SECRET} in a trace of theirs", IN_SHARED)
    calls = (OWN, NEXT_DAY, OF_THE_SESSION, IN_SHARED)
    own = Submission(OWN, id="own", rater=WHO, also=SAID)
    of_the_session = Submission(id="session", scope="session", session="own", rater=WHO, also=SAID)
    by_others = Submission(OWN, id="others", rater="carl", also=SAID)
    by_response = Submission(id="response", response_id="resp-own", rater="carl", also=SAID)
    ratings = (own, of_the_session, by_others, by_response, GIVEN)
    store(database, *(call.request() for call in calls), *(each.carrier() for each in ratings))
    names_them = log_request(f"signed in: {SECRET}", **{"enduser.id": WHO})
    messages = [message_of(call, f"about {SECRET}") for call in calls]
    store(database, *messages, *(each.log() for each in ratings), names_them)


def kept(database: Database) -> dict[str, list[str]]:
    """But for when a trace had its last span: that a rating came then is left of it on somebody else's trace."""
    return everything(database, without=("Segment", "Start", "End"))


def texts(database: Database) -> str:
    return repr(everything(database))


def test_everything_of_the_person_goes_and_nothing_else_changes(database: Database):
    store_others(database)
    untouched = kept(database)
    for table in untouched:
        database.command(f"TRUNCATE TABLE {table}")
    store_others(database, replace(CARLS, id="on-carls-span", rater=WHO, also=SAID))
    store_person(database)
    erased = erase(database, [WHO])
    assert SECRET not in texts(database)
    assert kept(database) == untouched
    assert erased.old_parts == 0
    went = {each.table: (each.removed, each.blanked) for each in erased.tables}
    assert (went["otel_traces"], went["otel_logs"], went["llm_call_spans"]) == ((4 + 5, 1), (4 + 5 + 1, 0), (4, 0))
    assert all(removed > 0 for removed, _ in went.values())
    again = erase(database, [WHO])
    assert [(each.removed, each.blanked) for each in again.tables] == [(0, 0)] * 7
    assert database.query("SELECT * FROM deletions") == []


def test_nothing_of_it_is_left_on_the_disk(database: Database, request: pytest.FixtureRequest):
    store_others(database, replace(CARLS, id="on-carls-span", rater=WHO, also=SAID))
    store_person(database)
    folder = files_of(database, request)
    if folder is not None:
        assert files_with(folder, SECRET), "or this shows nothing"
    assert erase(database, [WHO]).old_parts == 0
    if folder is not None:
        assert files_with(folder, SECRET) == []
    settings = database.query(
        "SELECT count() AS n FROM system.tables WHERE create_table_query LIKE '%old_parts_lifetime%'"
    )
    assert settings == [{"n": 0}], "old parts are kept again"


def files_of(database: Database, request: pytest.FixtureRequest) -> Path | None:
    """Where the engine keeps its files; None where the server was lent to the tests, which then can't see them."""
    if isinstance(database, EmbeddedDatabase):
        return database.directory
    found: Path | None = getattr(request.getfixturevalue("clickhouse_server"), "folder", None)
    return found


def files_with(folder: Path, text: str) -> list[Path]:
    """Compression keeps a text that comes for the first time in a block, as it is."""
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


@pytest.mark.parametrize("key", semconv.USER_KEYS)
def test_each_attribute_that_names_a_person_is_known(database: Database, key: str):
    call, other = Call(), Call(user="carl")
    request = call.request()
    only_span(request).attributes.extend(attributes({key: WHO}))
    store(database, request, other.request())
    store(database, log_request("one", **{key: WHO}), log_request("two", **{key: "carl"}))
    erase(database, [WHO])
    assert trace_ids(database) == {other.trace_id.hex()}
    assert [row["Body"] for row in database.query("SELECT Body FROM otel_logs")] == ["two"]


def test_python_and_sql_know_the_same_attributes():
    for name, keys in (("user_keys", semconv.USER_KEYS), ("session_keys", semconv.SESSION_KEYS)):
        fragment = statements.load(f"fragments/{name}.sql")
        assert tuple(part for part in fragment.split("'")[1::2]) == keys
    assert repr(list(semconv.USER_KEYS)) in statements.load("fragments/is_noted_rating.sql")


def test_several_ids_of_a_person_are_erased_at_once(database: Database):
    store(database, Call(user="a").request(), Call(user="b").request(), (other := Call(user="c")).request())
    assert removed(erase(database, ["a", "b"]).tables)["otel_traces"] == 2
    assert trace_ids(database) == {other.trace_id.hex()}


@pytest.mark.parametrize("neighbour", ["", WHO, "carl"])
def test_a_session_goes_as_a_whole_unless_somebody_else_is_named_in_it(database: Database, neighbour: str):
    own, beside = Call(user=WHO, session="s"), Call(user=neighbour, session="s")
    store(database, own.request(), beside.request())
    store(database, Submission(id="x", rater="", scope="session", session="s").log())
    erase(database, [WHO])
    is_shared = neighbour == "carl"
    assert trace_ids(database) == ({beside.trace_id.hex()} if is_shared else set())
    assert len(current(database)) == is_shared


def test_who_only_rates_takes_no_trace_along(database: Database):
    call = Call(user="carl", session="s")
    store(database, call.request(), Submission(call, rater=WHO).carrier())
    store(database, message_of(call, "hello"), Submission(call, rater=WHO).log())
    erase(database, [WHO])
    assert trace_ids(database) == trace_ids(database, "llm_call_messages") == {call.trace_id.hex()}
    assert counts(database)["rating_deliveries"] == 0
    assert counts(database)["otel_logs"] == counts(database)["otel_traces"] == 1


def test_a_response_id_that_somebody_else_has_too_erases_no_rating(database: Database):
    store(database, Call(user=WHO, response_id="r").request(), Call(user="carl", response_id="r").request())
    store(database, Submission(response_id="r", rater="carl").log())
    erase(database, [WHO])
    assert len(current(database)) == 1


def test_what_a_collector_writes_straight_in_goes_likewise(database: Database):
    span = (
        "INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, SpanAttributes, `Events.Timestamp`, "
        "`Events.Name`, `Events.Attributes`) SELECT now64(9), {trace:String}, '1', 'chat', "
        "map('gen_ai.operation.name', 'chat', 'user.id', {user:String}), [now64(9)], ['gen_ai.evaluation.result'], "
        "[map('gen_ai.evaluation.name', 'thumbs', 'enduser.pseudo.id', {user:String})]"
    )
    log = "INSERT INTO otel_logs (Timestamp, TraceId, Body) SELECT now64(9), {trace:String}, {user:String}"
    for trace, user in (("aa", WHO), ("bb", "carl")):
        for statement in (span, log):
            database.command(statement, {"trace": trace, "user": user})
    erase(database, [WHO])
    assert WHO not in texts(database)
    assert {table: rows for table, rows in counts(database).items() if rows != 1} == {
        "llm_call_messages": 0,
        "insight_findings": 0,
    }


def test_it_says_which_of_some_ids_are_theirs(database: Database):
    store_others(database)
    store_person(database)
    asked = [OWN.trace_id.hex(), OF_THE_SESSION.trace_id.hex(), OTHERS[0].trace_id.hex(), "own", "shared", "unknown"]
    theirs = erase(database, [WHO], dry_run=True, ids=asked).theirs
    assert sorted(theirs) == sorted([OWN.trace_id.hex(), OF_THE_SESSION.trace_id.hex(), "own"])


def test_a_dry_run_counts_and_changes_nothing(database: Database):
    store_others(database, replace(CARLS, id="on-carls-span", rater=WHO, also=SAID))
    store_person(database)
    before = everything(database)
    counted = erase(database, [WHO], dry_run=True)
    assert everything(database) == before
    assert counted.tables == erase(database, [WHO]).tables


class KilledError(Exception):
    """In place of what a kill would have had done."""


@pytest.mark.parametrize("step", [1, 3, 8, 11, 15, 17, 19, 21, 23, 25])
def test_an_erasure_that_was_killed_is_completed_by_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch, step: int
):
    store_others(database, replace(CARLS, id="on-carls-span", rater=WHO, also=SAID))
    store_person(database)
    command = database.command
    written = iter(range(1000))

    def dying(statement: str, *arguments: Any, **settings: Any) -> None:
        if next(written) >= step:
            raise KilledError
        command(statement, *arguments, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(database, "command", dying)
        with pytest.raises(KilledError):
            erase(database, [WHO])
    erase(database, [WHO])
    assert SECRET not in texts(database)
    assert counted(erase(database, [WHO])) == 0
    assert len(trace_ids(database, "llm_call_spans")) == len(OTHERS) + 2


def note(database: Database, run: str, *notes: tuple[str, str]) -> None:
    """What an erasure that was killed left."""
    for kind, of_what in notes:
        values = {"run": run, "kind": kind, "id": of_what}
        database.command(
            "INSERT INTO deletions (Run, Kind, Id) SELECT {run:String}, {kind:String}, {id:String}", values
        )


def runs_of(database: Database) -> set[str]:
    return {row["Run"] for row in database.query("SELECT DISTINCT Run FROM deletions")}


def test_what_only_counted_is_no_order_to_remove_others(database: Database):
    carl = Call(user="carl")
    store(database, Call(user=WHO).request(), carl.request())
    both = (("user", WHO), ("user", "carl"), ("trace", carl.trace_id.hex()))
    note(database, "erasure-counted", *both)
    erase(database, [WHO])
    assert trace_ids(database) == {carl.trace_id.hex()}
    assert runs_of(database) == {"erasure-counted"}
    note(database, "erasure-begun", *both, ("erasing", ""))
    erase(database, [WHO])
    assert trace_ids(database) == set(), "it had begun to remove both, and is completed"
    assert runs_of(database) == {"erasure-counted"}
    erase(database, [WHO, "carl"])
    assert runs_of(database) == set()


def test_what_was_being_forgotten_when_it_was_killed_is_forgotten(database: Database):
    carl = Call(user="carl")
    store(database, carl.request())
    note(database, "erasure-half-forgotten", ("trace", carl.trace_id.hex()), ("erasing", ""))
    assert counted(erase(database, [WHO])) == 0
    assert trace_ids(database) == {carl.trace_id.hex()}
    assert runs_of(database) == set()


def counted(erased: Erased) -> int:
    return sum(each.removed + each.blanked for each in erased.tables)


def test_an_unknown_person_has_nothing_and_costs_nothing(database: Database):
    store_others(database)
    before = everything(database)
    assert counted(erase(database, ["nobody"])) == 0
    assert everything(database) == before


@pytest.mark.parametrize("carrier", [evaluation_span, evaluation_log])
def test_ratings_in_microsofts_shape_go_with_who_gave_them_and_with_what_they_rate(database: Database, carrier: Any):
    store_others(database)
    before = everything(database, without=("Start", "End"))
    theirs = thumbs_of_microsoft(**{"enduser.id": WHO, "gen_ai.evaluation.explanation": SECRET})
    of_theirs = thumbs_of_microsoft(**{"gen_ai.response.id": OWN.response_id, "gen_ai.evaluation.explanation": SECRET})
    store(database, OWN.request())
    store(database, carrier(theirs, OTHERS[2]))
    store(database, carrier(of_theirs))
    erase(database, [WHO])
    assert everything(database, without=("Start", "End")) == before
