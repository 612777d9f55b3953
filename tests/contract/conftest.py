from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.service import RunningService, running_service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One service for all contract tests; each test tells its rows by ids of its own."""
    with running_service(tmp_path_factory.mktemp("contract") / "data") as service:
        yield service
