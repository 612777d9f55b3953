from collections.abc import Iterator

import httpx
import pytest
from tests.support.dashboard.running import Dashboard, running_dashboard


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with running_dashboard(tmp_path_factory.mktemp("dashboard"), "sample") as running:
        yield running


@pytest.fixture(scope="session")
def empty_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with running_dashboard(tmp_path_factory.mktemp("empty"), "empty") as running:
        yield running


@pytest.fixture
def browser(dashboard: Dashboard) -> Iterator[httpx.Client]:
    """Asks the filled dashboard as a browser on this machine does."""
    with httpx.Client(base_url=dashboard.url, timeout=30) as client:
        yield client
