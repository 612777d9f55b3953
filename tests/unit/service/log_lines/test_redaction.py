import pytest

from otel_feedback.rating import Scope, Target
from otel_feedback.service.log_lines.redaction import Redaction, secrets_of
from otel_feedback.settings import Settings
from otel_feedback.tokens import Grant, Keyring

SECRETS = {
    "OTEL_FEEDBACK_INGEST_TOKENS": "ingest-one, ingest-two",
    "OTEL_FEEDBACK_DASHBOARD_TOKEN": "dashboard+token",
    "OTEL_FEEDBACK_SIGNING_KEYS": "key-of-today,key-of-yesterday",
    "OTEL_FEEDBACK_DATABASE_URL": "clickhouse://writer:p%40ss%2Fword@db:8123/otel",
}


@pytest.fixture
def redact() -> Redaction:
    return Redaction(Settings.load(SECRETS))


def test_every_secret_of_the_settings_is_known():
    assert secrets_of(Settings.load(SECRETS)) == {
        "ingest-one",
        "ingest-two",
        "dashboard+token",
        "key-of-today",
        "key-of-yesterday",
        "p%40ss%2Fword",
        "p@ss/word",
    }


@pytest.mark.parametrize("secret", sorted(secrets_of(Settings.load(SECRETS))))
def test_no_secret_of_the_settings_stays(redact: Redaction, secret: str):
    shown = redact(f"refused: {secret!r} at /etc, again {secret}")
    assert secret not in shown
    assert shown == "refused: '***' at /etc, again ***"


def test_what_looks_like_a_secret_does_not_stay_either(redact: Redaction):
    token = Keyring(("some-key",)).mint(Grant(Target(Scope.SPAN, "1" * 32, "2" * 16), "rater"))
    assert redact(f"GET /v1/feedback?token={token}&name=x") == "GET /v1/feedback?token=***&name=x"
    assert redact("authorization: bearer dXNlcjpwYXNz==, host: a") == "authorization: bearer ***, host: a"
    assert redact("[(b'authorization', b'Bearer x.y-z')]") == "[(b'authorization', b'Bearer ***')]"
    assert redact("clickhouses://reader:letmein@db/otel is away") == "clickhouses://reader:***@db/otel is away"


def test_other_text_stays_as_it_is(redact: Redaction):
    text = "http://127.0.0.1:8123/otel: Code: 516. user@example.com, 12:30:45, eyJust.a.word, a bearer token is needed"
    assert redact(text) == text


def test_a_service_without_secrets_hides_nothing():
    assert Redaction(Settings.load({}))("otel and nothing else") == "otel and nothing else"
