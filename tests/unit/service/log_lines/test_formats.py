import json
import logging
from typing import Any

import pytest

from otel_feedback.service.log_lines.formats import JsonFormatter, TextFormatter


def hide(text: str) -> str:
    return text.replace("hunter2", "***")


def record(message: str, *arguments: Any, exception: BaseException | None = None, **fields: Any) -> logging.LogRecord:
    logger = logging.getLogger("otel_feedback.service.writer")
    trace = (type(exception), exception, exception.__traceback__) if exception else None
    made = logger.makeRecord(logger.name, logging.WARNING, "writer.py", 1, message, arguments, trace, extra=fields)
    made.created = 1_790_000_000.25
    return made


def failure(message: str) -> BaseException:
    with pytest.raises(ValueError, match=message) as caught:
        raise ValueError(message)
    return caught.value


def line_of(made: logging.LogRecord) -> dict[str, Any]:
    text = JsonFormatter(hide).format(made)
    assert "\n" not in text
    line: dict[str, Any] = json.loads(text)
    return line


def test_a_record_is_one_json_object_with_its_fields():
    made = record("%s is not stored yet: %s", "segment 1", "away", signal="traces", error_code=210)
    assert line_of(made) == {
        "time": "2026-09-21T14:13:20.250Z",
        "level": "WARNING",
        "logger": "otel_feedback.service.writer",
        "message": "segment 1 is not stored yet: away",
        "signal": "traces",
        "error_code": 210,
    }


def test_an_exception_is_on_the_same_line():
    line = line_of(record("broken", exception=failure("first line\nsecond line")))
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ValueError: first line\nsecond line")


def test_secrets_are_hidden_in_message_fields_and_exception():
    made = record("password %s", "hunter2", exception=failure("hunter2"), url="http://a:hunter2@b", parts=["hunter2"])
    assert "hunter2" not in JsonFormatter(hide).format(made)
    assert "hunter2" not in TextFormatter(hide).format(made)


def test_fields_that_json_does_not_know_are_told_as_text():
    line = line_of(record("odd", path=logging, ratio=float("nan"), nothing=None, ready=True, text="ünïcode"))
    assert (line["ratio"], line["nothing"], line["ready"], line["text"]) == ("nan", None, True, "ünïcode")
    assert line["path"].startswith("<module 'logging'")


def test_a_field_can_not_take_the_place_of_what_every_line_has():
    line = line_of(record("told", level="none", time="never", logger="nobody"))
    assert (line["level"], line["logger"]) == ("WARNING", "otel_feedback.service.writer")
    assert line["time"].startswith("2026")


def test_text_is_for_people():
    text = TextFormatter(hide).format(record("%s is away", "ClickHouse", error_code=210))
    assert text.endswith(" WARNING otel_feedback.service.writer: ClickHouse is away")
