"""What several fault tests start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.clickhouse_server import own_clickhouse
from tests.support.traffic import Acknowledged


@pytest.fixture(params=["embedded", "server"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The settings of a service on either engine."""
    if request.param == "embedded":
        yield {}
        return
    with own_clickhouse(tmp_path) as server:
        yield {"OTEL_FEEDBACK_DATABASE_URL": server.url}


@pytest.fixture
def taken() -> dict[str, Acknowledged]:
    """What the clients of a test got acknowledged, by signal."""
    return {"traces": Acknowledged(), "logs": Acknowledged()}
