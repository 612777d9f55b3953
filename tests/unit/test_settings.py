from __future__ import annotations

from pathlib import Path

import pytest

from otel_feedback.errors import ConfigurationError
from otel_feedback.settings import Address, Settings, parse_address, parse_duration_seconds, parse_size_bytes


@pytest.fixture(autouse=True)
def _empty_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_defaults_need_no_configuration():
    settings = Settings.load({})
    assert str(settings.grpc_address) == "127.0.0.1:4317"
    assert settings.database_url == f"chdb://{Path.cwd() / 'otel-feedback-data' / 'clickhouse'}"
    assert (settings.retention_seconds, settings.retention_rated_seconds) == (30 * 86400, 400 * 86400)
    assert settings.max_request_bytes == 64 << 20
    assert settings.max_queue_bytes == 4 << 30
    assert settings.capture_comments is True
    assert settings.ratings_as == "both"
    assert settings.signing_keys == ()


def test_the_environment_wins_over_the_file(tmp_path):
    (tmp_path / "otel-feedback.toml").write_text('signing_keys = ["a", "b"]\nretention = "8w"\n')
    settings = Settings.load({"OTEL_FEEDBACK_RETENTION": "12h"})
    assert settings.signing_keys == ("a", "b")
    assert settings.retention_seconds == 12 * 3600


def test_paths_are_those_of_the_working_directory_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    settings = Settings.load({"OTEL_FEEDBACK_DATA_DIR": "data", "OTEL_FEEDBACK_TLS_CERT": "tls/cert.pem"})
    monkeypatch.chdir("/")
    assert settings.data_dir == tmp_path / "data"
    assert settings.tls_cert == str(tmp_path / "tls" / "cert.pem")
    assert settings.tls_key == "", "none is none"


def test_an_app_whose_working_directory_was_removed_still_gets_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert Settings.load({}).capture_comments


def test_a_list_is_split_at_commas_and_stripped():
    assert Settings.load({"OTEL_FEEDBACK_SIGNING_KEYS": " new , old ,"}).signing_keys == ("new", "old")


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("OTEL_FEEDBACK_GRPC_ADDRESS", "4317"),
        ("OTEL_FEEDBACK_HTTP_ADDRESS", "127.0.0.1:65536"),
        ("OTEL_FEEDBACK_RETENTION", "forever"),
        ("OTEL_FEEDBACK_CAPTURE_COMMENTS", "flase"),
        ("OTEL_FEEDBACK_MAX_REQUEST_BYTES", "64 MB"),
        ("OTEL_FEEDBACK_RATINGS_AS", "metrics"),
        ("OTEL_FEEDBACK_VOTES_PER_MINUTE", "-1"),
        ("OTEL_FEEDBACK_REQUESTS_PER_MINUTE", "1.5"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_its_variable(variable, text):
    with pytest.raises(ConfigurationError, match=variable):
        Settings.load({variable: text})


def test_a_misspelt_setting_in_the_file_is_refused_with_the_known_ones(tmp_path):
    (tmp_path / "otel-feedback.toml").write_text('retension = "8w"\n')
    with pytest.raises(ConfigurationError, match=r"retension.*retention"):
        Settings.load({})


def test_a_named_file_must_exist():
    with pytest.raises(ConfigurationError, match=r"missing\.toml"):
        Settings.load({"OTEL_FEEDBACK_CONFIG": "missing.toml"})


def test_a_file_that_is_no_toml_is_refused(tmp_path):
    (tmp_path / "otel-feedback.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="TOML"):
        Settings.load({})


@pytest.mark.parametrize(
    ("text", "address", "is_loopback"),
    [
        ("127.0.0.1:0", Address("127.0.0.1", 0), True),
        ("[::1]:4318", Address("::1", 4318), True),
        ("0.0.0.0:4318", Address("0.0.0.0", 4318), False),  # only parsed
        ("localhost:1", Address("localhost", 1), True),
    ],
)
def test_addresses_are_read_and_told_apart(text, address, is_loopback):
    parsed = parse_address(text)
    assert parsed == address
    assert parsed.is_loopback is is_loopback
    assert str(parsed) == text


def test_units_of_time_and_size():
    assert [parse_duration_seconds(text) for text in ("90s", "15m", "12h", "30d", "8w")] == [
        90,
        900,
        43200,
        2592000,
        4838400,
    ]
    assert [parse_size_bytes(text) for text in ("1048576", "64 MiB", "1GiB")] == [1 << 20, 64 << 20, 1 << 30]
