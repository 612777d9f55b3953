import pytest

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.server import ServerAddress
from otel_feedback.errors import ConfigurationError
from otel_feedback.hidden import without_password
from otel_feedback.running_service import ServiceState
from otel_feedback.settings import PREFIX, Settings, fields, setting_name

PASSWORDS = ["hunter2", "p%40ss", "with/slash", "with@at", "with:colon", "with?mark#hash", "://", "@"]


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_is_hidden_also_where_it_is_not_escaped(password: str):
    assert without_password(f"clickhouse://writer:{password}@db:8123/otel") == "clickhouse://writer:***@db:8123/otel"


@pytest.mark.parametrize("url", ["chdb:///var/lib/a@b", "clickhouse://db:8123/otel", "clickhouse://writer@db/otel", ""])
def test_other_urls_stay_as_they_are(url: str):
    assert without_password(url) == url


@pytest.mark.parametrize("password", ["with/slash-secret", "with#hash-secret", "with?mark-secret"])
def test_an_error_about_a_url_does_not_tell_its_password(password: str):
    with pytest.raises(ConfigurationError) as caught:
        connect(f"clickhouse://writer:{password}@db:port/otel")
    assert "-secret" not in str(caught.value)
    assert "OTEL_FEEDBACK_DATABASE_URL='clickhouse://writer:***@" in str(caught.value)


def test_no_object_that_holds_a_secret_shows_it():
    environment = {
        PREFIX + setting_name(each.name).upper(): "clickhouse://u:the-secret@db/otel"
        if "url" in each.name
        else "the-secret"
        for each in fields(Settings)
        if each.metadata["may_be_file"]
    }
    assert len(environment) > 4
    settings = Settings.load(environment)
    address = ServerAddress("db", 8123, "u", "the-secret", "otel", is_secure=True)
    state = ServiceState(1, "", "", "", "the-secret")
    assert "the-secret" not in f"{settings!r}{settings}{address!r}{state!r}"
