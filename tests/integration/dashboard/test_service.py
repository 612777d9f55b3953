"""The dashboard of a running service: how ingest is doing, charts drawn beside it, and pages that can't write."""

from pathlib import Path

import httpx
import psutil
import pytest
from tests.support.asking import send_what_is_asked_for
from tests.support.clickhouse_server import own_clickhouse
from tests.support.service import running_service

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.errors import DatabaseError
from otel_feedback.settings import Settings

READONLY = 164


def test_the_overview_tells_how_ingest_is_and_charts_end_with_the_service(tmp_path):
    with running_service(tmp_path / "data") as service:
        page = httpx.get(service.dashboard).text
        assert "Nothing has arrived yet" in page
        assert "All is well" in page
        send_what_is_asked_for(service)
        page = httpx.get(service.dashboard).text
        assert "<dt>Spans taken</dt><dd>2</dd>" in page
        assert "<dt>Log records taken</dt><dd>1</dd>" in page
        assert "<dt>Set aside</dt><dd>0</dd>" in page
        assert httpx.get(f"{service.dashboard}/charts/satisfaction_by_service.svg", timeout=30).status_code == 200
        drawing = [each for each in psutil.Process(service.pid).children() if "drawing_process" in str(each.cmdline())]
        assert len(drawing) == 1
    psutil.wait_procs(drawing, 10)
    assert not drawing[0].is_running()


@pytest.mark.parametrize("engine", ["embedded", "a server"])
def test_what_pages_read_through_can_not_write(tmp_path: Path, engine: str):
    def refuse(url: str) -> None:
        database = connect(url)
        migrate(database, Settings.load({}))
        for statement in (
            "INSERT INTO service_settings (Name) VALUES ('x')",
            "DROP TABLE otel_traces",
            "ALTER TABLE otel_traces DELETE WHERE 1",
            "CREATE TABLE nope (a UInt8) ENGINE = Memory",
        ):
            with pytest.raises(DatabaseError) as refused:
                database.query(statement, settings={"max_execution_time": 15})
            assert refused.value.code == READONLY
        database.close()

    if engine == "embedded":
        refuse(f"chdb://{tmp_path / 'clickhouse'}")
    else:
        with own_clickhouse(tmp_path) as server:
            refuse(server.url)
