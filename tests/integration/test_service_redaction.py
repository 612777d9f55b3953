"""A rating that a browser gives to the service itself is redacted as one that the app sends."""

from __future__ import annotations

import uuid
from pathlib import Path

import httpx
from tests.support.service import SIGNING_KEY, running_service, start_in_vain

from otel_feedback.rating import Scope, Target
from otel_feedback.tokens import Grant, Keyring

PRIVACY = """
def redact(text):
    if "secret" in text:
        raise ValueError(text)
    return text.replace("Ann", "***")
"""


def test_texts_are_redacted_before_they_are_on_disk(tmp_path: Path):
    (tmp_path / "shop_privacy.py").write_text(PRIVACY)
    rater = uuid.uuid4().hex
    token = Keyring((SIGNING_KEY,)).mint(Grant(Target(Scope.SESSION, session_id="c-1"), rater))
    settings = {"OTEL_FEEDBACK_REDACT": "shop_privacy:redact", "PYTHONPATH": str(tmp_path)}
    with running_service(tmp_path / "data", settings) as service:
        said = {"comment": "I am Ann", "correction": "my secret is Ann", "reasons": ["Ann"]}
        answer = httpx.post(
            f"{service.http}/v1/feedback", json={"token": token, "name": "thumbs", "value": False, **said}
        )
        assert answer.status_code == 202
        (shown,) = httpx.get(f"{service.http}/v1/feedback", headers={"Authorization": f"Bearer {token}"}).json()[
            "ratings"
        ]
        assert (shown["comment"], shown["reasons"]) == ("I am ***", ["***"])
        (row,) = service.wait_for_rows(
            "SELECT Value, Comment, Correction, Reasons FROM feedback WHERE RaterId = {rater:String}", rater=rater
        )
        assert row == {"Value": 0, "Comment": "I am ***", "Correction": "", "Reasons": ["***"]}
        assert service.sql("SELECT 1 FROM otel_logs WHERE toString(LogAttributes) LIKE '%Ann%'") == []
        assert "Ann" not in service.log.read_text()


def test_a_service_with_a_redactor_that_is_not_there_does_not_start(tmp_path: Path):
    code, said = start_in_vain(tmp_path / "data", {"OTEL_FEEDBACK_REDACT": "shop_privacy:redact"})
    assert code == 1
    assert "OTEL_FEEDBACK_REDACT='shop_privacy:redact'" in said
    assert "Traceback" not in said
