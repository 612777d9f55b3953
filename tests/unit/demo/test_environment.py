"""What each process of the demo finds in its environment."""

import stat
from pathlib import Path

import pytest

from otel_feedback.demo.environment import SIGNING_KEYS, chat_environment, with_signing_keys
from otel_feedback.demo.processes import DemoError
from otel_feedback.demo.running_service import RunningService
from otel_feedback.settings import Settings

SERVICE = RunningService("http://127.0.0.1:4318", "http://127.0.0.1:4380", "secret", {})


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path):
    first = with_signing_keys({}, Settings.load({}), tmp_path)
    again = with_signing_keys({}, Settings.load({}), tmp_path)
    assert first == again
    assert len(first[SIGNING_KEYS]) >= 32
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_keys_of_the_settings_win(tmp_path: Path):
    environment = {SIGNING_KEYS: "new,old"}
    assert with_signing_keys(environment, Settings.load(environment), tmp_path) == environment
    assert list(tmp_path.iterdir()) == []


def test_an_empty_key_file_is_made_anew(tmp_path: Path):
    (tmp_path / "signing-key").touch()
    assert len(with_signing_keys({}, Settings.load({}), tmp_path)[SIGNING_KEYS]) >= 32


def test_a_folder_that_can_not_be_written_names_the_setting(tmp_path: Path):
    with pytest.raises(DemoError, match=SIGNING_KEYS):
        with_signing_keys({}, Settings.load({}), tmp_path / "missing")


def test_the_callers_own_telemetry_is_left_out():
    environment = chat_environment(
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://elsewhere", "OTEL_SDK_DISABLED": "true", "PATH": "/bin"},
        SERVICE,
        {"OPENAI_MODEL": "small"},
    )
    assert "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" not in environment
    assert "OTEL_SDK_DISABLED" not in environment
    assert environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == SERVICE.http
    assert (environment["PATH"], environment["OPENAI_MODEL"]) == ("/bin", "small")


def test_settings_of_ours_reach_the_chat():
    assert chat_environment({"OTEL_FEEDBACK_CAPTURE_COMMENTS": "false"}, SERVICE, {})["OTEL_FEEDBACK_CAPTURE_COMMENTS"]


def test_an_ingest_token_becomes_a_header():
    service = RunningService(SERVICE.http, SERVICE.dashboard, "secret", {"Authorization": "Bearer a,b=c"})
    header = chat_environment({}, service, {})["OTEL_EXPORTER_OTLP_HEADERS"]
    assert header == "Authorization=Bearer%20a%2Cb%3Dc"


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "127.0.0.1,localhost"), ({"no_proxy": ".example"}, ".example,127.0.0.1,localhost")],
)
def test_this_machine_is_reached_past_a_proxy(given: dict[str, str], expected: str):
    environment = chat_environment({"HTTP_PROXY": "http://proxy:3128", **given}, SERVICE, {})
    assert (environment["NO_PROXY"], environment["no_proxy"]) == (expected, expected)
