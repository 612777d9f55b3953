"""One request that ClickHouse refuses among a thousand good ones, from the client's view to its later replay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import grpc
import httpx
import pytest
from tests.support.commands import otel_feedback
from tests.support.service import RunningService, running_service, wait_until
from tests.support.traffic import SPANS_PER_REQUEST, TRACES, counts, spans_of, wait_until_written

GOOD = 1000
ROWS = "SELECT SpanAttributes['test.key'] AS Key, count() AS Rows FROM otel_traces GROUP BY Key"
REFUSE = "ALTER TABLE otel_traces ADD CONSTRAINT no_poison CHECK SpanAttributes['test.key'] != 'poison'"
MEND = "ALTER TABLE otel_traces DROP CONSTRAINT no_poison"


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service that was sent a poison request in the middle of a thousand good ones, and has written them."""
    with running_service(tmp_path_factory.mktemp("poison") / "data") as service:
        write(service, REFUSE)
        keys = [f"good {number}" for number in range(GOOD)]
        keys.insert(GOOD // 2, "poison")
        with grpc.insecure_channel(service.grpc) as channel:
            export = channel.unary_unary(TRACES)
            sent = [export.future(spans_of(key).SerializeToString(), timeout=60) for key in keys]
            assert {future.result() for future in sent} == {b""}, "every request is acknowledged, the poison too"
        wait_until_written(service, 120)
        yield service


def write(service: RunningService, statement: str) -> None:
    answer = httpx.post(
        f"{service.dashboard}/api/sql",
        json={"query": statement, "write": True},
        headers={"Authorization": f"Bearer {service.api_token}"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text


def doctor(service: RunningService, *arguments: str) -> CompletedProcess[str]:
    return otel_feedback(service.data_dir, "doctor", *arguments)


def rejected(service: RunningService) -> list[dict[str, object]]:
    done = doctor(service, "rejected", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_the_good_ones_are_all_there_and_the_poison_alone_is_kept(poisoned: RunningService):
    assert counts(poisoned, ROWS) == {f"good {number}": SPANS_PER_REQUEST for number in range(GOOD)}
    (kept,) = rejected(poisoned)
    assert (kept["signal"], kept["requests"], kept["code"]) == ("traces", 1, 469)
    assert poisoned.metric("otel_feedback_segments_rejected_total") == 1
    assert poisoned.metric("otel_feedback_requests_total", outcome="accepted") == GOOD + 1


def test_the_log_says_what_to_run(poisoned: RunningService):
    (kept,) = rejected(poisoned)
    alarms = [
        line
        for line in poisoned.log.read_text().splitlines()
        if f"otel-feedback doctor rejected show {kept['name']}" in line
    ]
    assert len(alarms) == 1


def test_the_doctor_sees_it(poisoned: RunningService):
    done = doctor(poisoned, "--format", "json")
    findings = {each["check"]: each for each in json.loads(done.stdout)}
    assert done.returncode == 0
    assert findings["rejected"]["state"] == "warning"
    assert "1 for ClickHouse's code 469" in findings["rejected"]["found"]
    assert "doctor rejected replay" in findings["rejected"]["advice"]
    assert findings["counters"]["state"] == "warning"
    assert findings["service"]["state"] == findings["database"]["state"] == findings["schema"]["state"] == "ok"


def test_it_can_be_looked_into(poisoned: RunningService):
    (kept,) = rejected(poisoned)
    done = doctor(poisoned, "rejected", "show", str(kept["name"]))
    spans = json.loads(done.stdout)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert len(spans) == SPANS_PER_REQUEST
    assert len(spans[0]["traceId"]) == 32
    assert {"key": "test.key", "value": {"stringValue": "poison"}} in spans[0]["attributes"]
    assert "no_poison" in done.stderr


def test_replayed_before_the_cause_is_mended_it_comes_back_and_after_it_is_stored_once(poisoned: RunningService):
    (kept,) = rejected(poisoned)
    assert doctor(poisoned, "rejected", "replay", str(kept["name"])).returncode == 0
    back = wait_until(lambda: rejected(poisoned) or None, 60, "it did not come back")
    assert [each["requests"] for each in back] == [1]
    assert back[0]["name"] != kept["name"]

    write(poisoned, MEND)
    replayed = doctor(poisoned, "rejected", "replay", "--all")
    assert "The running service writes them within seconds" in replayed.stdout
    poisoned.wait_for_rows("SELECT 1 FROM otel_traces WHERE SpanAttributes['test.key'] = 'poison'", SPANS_PER_REQUEST)
    again = doctor(poisoned, "rejected", "replay", str(back[0]["name"]))
    assert again.returncode == 1
    assert "Run `otel-feedback doctor rejected` to see what is there" in again.stderr
    assert counts(poisoned, ROWS)["poison"] == SPANS_PER_REQUEST
    calls = poisoned.sql("SELECT count() AS Rows FROM llm_calls")[0]
    assert int(calls["Rows"]) == (GOOD + 1) * SPANS_PER_REQUEST
    assert not list(Path(poisoned.data_dir / "rejected" / "traces").iterdir())
