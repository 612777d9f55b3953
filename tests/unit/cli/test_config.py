import json

import pytest

from otel_feedback.cli import main


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_config_shows_every_setting_with_its_value_in_force(monkeypatch, capsys):
    monkeypatch.setenv("OTEL_FEEDBACK_HTTP_ADDRESS", "127.0.0.1:0")
    assert main(["config", "--format", "json"]) == 0
    shown = {row["variable"]: row["value"] for row in json.loads(capsys.readouterr().out)}
    assert shown["OTEL_FEEDBACK_HTTP_ADDRESS"] == "127.0.0.1:0"
    assert shown["OTEL_FEEDBACK_GRPC_ADDRESS"] == "127.0.0.1:4317"
    assert "OTEL_FEEDBACK_RETENTION_RATED" in shown


def test_config_never_prints_a_secret(monkeypatch, capsys):
    monkeypatch.setenv("OTEL_FEEDBACK_SIGNING_KEYS", "very-secret")
    assert main(["config"]) == 0
    output = capsys.readouterr().out
    assert "very-secret" not in output
    assert "OTEL_FEEDBACK_SIGNING_KEYS" in output


def test_a_password_in_the_database_url_is_not_printed(monkeypatch, capsys):
    monkeypatch.setenv("OTEL_FEEDBACK_DATABASE_URL", "clickhouse://writer:hunter2@db:8123/otel")
    assert main(["config"]) == 0
    output = capsys.readouterr().out
    assert "hunter2" not in output
    assert "db:8123" in output


@pytest.mark.parametrize(
    ("variable", "text", "hint"),
    [
        ("OTEL_FEEDBACK_HTTP_ADDRESS", "4318", "host:port"),
        ("OTEL_FEEDBACK_RETENTION", "30", "30d"),
        ("OTEL_FEEDBACK_MAX_REQUEST_BYTES", "lots", "64MiB"),
        ("OTEL_FEEDBACK_CAPTURE_COMMENTS", "maybe", "true or false"),
    ],
)
def test_an_unreadable_setting_is_one_line_that_says_what_to_write(monkeypatch, capsys, variable, text, hint):
    monkeypatch.setenv(variable, text)
    assert main(["config"]) == 1
    message = capsys.readouterr().err.strip()
    assert variable in message
    assert hint in message
    assert "\n" not in message


def test_the_file_gives_settings_and_the_environment_wins(monkeypatch, capsys, tmp_path):
    (tmp_path / "otel-feedback.toml").write_text('http_address = "127.0.0.1:5318"\ngrpc_address = "127.0.0.1:5317"\n')
    monkeypatch.setenv("OTEL_FEEDBACK_GRPC_ADDRESS", "127.0.0.1:6317")
    assert main(["config", "--format", "json"]) == 0
    shown = {row["variable"]: row["value"] for row in json.loads(capsys.readouterr().out)}
    assert shown["OTEL_FEEDBACK_HTTP_ADDRESS"] == "127.0.0.1:5318"
    assert shown["OTEL_FEEDBACK_GRPC_ADDRESS"] == "127.0.0.1:6317"


def test_a_misspelt_setting_in_the_file_is_refused_by_name(capsys, tmp_path):
    (tmp_path / "otel-feedback.toml").write_text('http_adress = "127.0.0.1:5318"\n')
    assert main(["config"]) == 1
    message = capsys.readouterr().err
    assert "http_adress" in message
    assert "http_address" in message


def test_a_missing_command_is_a_usage_error():
    with pytest.raises(SystemExit) as exit_error:
        main([])
    assert exit_error.value.code == 2
