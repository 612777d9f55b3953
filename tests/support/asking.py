"""A database with one rated call, had by whom a command may find it with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final, TypeAlias

import httpx
from tests.support.clickhouse_cluster import CLUSTER, own_cluster
from tests.support.clickhouse_server import own_clickhouse
from tests.support.commands import otel_feedback
from tests.support.ratings import Call, Submission
from tests.support.segments import store
from tests.support.service import RunningService, running_service

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.settings import Settings

Command: TypeAlias = Callable[..., "CompletedProcess[str]"]
"""``otel-feedback`` with these arguments, over the database; ``stdin`` is what it reads."""

CALL: Final = Call(prompt="Capital of France?", session="s", user="u")
RATING: Final = Submission(CALL, also={"gen_ai.evaluation.explanation": "right"})
WAYS: Final = ["through the service", "after the service", "a server", "a cluster"]


def send_what_is_asked_for(service: RunningService) -> None:
    protobuf = {"Content-Type": "application/x-protobuf"}
    for path, request in (("traces", CALL.request()), ("traces", RATING.carrier()), ("logs", RATING.log())):
        answer = httpx.post(f"{service.http}/v1/{path}", content=request.SerializeToString(), headers=protobuf)
        assert answer.status_code == 200, answer.text
    service.wait_for_rows("SELECT * FROM rated_llm_calls")
    service.wait_for_rows("SELECT * FROM rating_deliveries", 2)


def store_what_is_asked_for(url: str, cluster: str = "") -> None:
    database = connect(url, cluster)
    migrate(database, Settings.load({}))
    store(database, CALL.request(), RATING.carrier())
    store(database, RATING.log())
    database.close()


@contextmanager
def asked_database(way: str, folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Command]:
    """The database, one of WAYS, and how to ask it; ``settings`` are the service's and the command's."""
    data_dir = folder / "data"
    environment = dict(settings or {})

    def ask(*arguments: str, stdin: str | None = None) -> CompletedProcess[str]:
        return otel_feedback(data_dir, *arguments, environment=environment, stdin=stdin)

    if way == "a server":
        with own_clickhouse(folder) as server:
            environment["OTEL_FEEDBACK_DATABASE_URL"] = server.url
            store_what_is_asked_for(server.url)
            yield ask
    elif way == "a cluster":
        with own_cluster(folder) as cluster:
            environment |= {"OTEL_FEEDBACK_DATABASE_URL": cluster.url, "OTEL_FEEDBACK_CLUSTER": CLUSTER}
            store_what_is_asked_for(cluster.url, CLUSTER)
            yield ask
    else:
        with running_service(data_dir, settings) as service:
            send_what_is_asked_for(service)
            if way == "after the service":
                service.stop()
            yield ask
