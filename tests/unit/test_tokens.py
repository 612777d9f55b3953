from __future__ import annotations

import base64
import hmac
import json
import time
from datetime import datetime
from types import SimpleNamespace

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_feedback.errors import TokenError
from otel_feedback.rating import Scope, Target
from otel_feedback.sdk import configuration
from otel_feedback.tokens import AUDIENCE, MOST_KNOWN_TOKENS, Grant, Keyring, _derive_key

GRANT = Grant(
    Target(Scope.SPAN, trace_id="4bf92f3577b34da6a3ce929d0e0e4736", span_id="00f067aa0ba902b7", session_id="c-1"),
    rater_id="u-7",
    names=("thumbs",),
)
KEYS = Keyring(("new", "old"))
TOKEN = KEYS.mint(GRANT)
identifiers = st.text(st.characters(codec="utf-8"), max_size=60)
hexadecimal = st.integers(min_value=1, max_value=2**64 - 1)


def refusal(keyring: Keyring, token: str) -> TokenError:
    with pytest.raises(TokenError) as caught:
        keyring.verify(token)
    return caught.value


@given(hexadecimal, hexadecimal, identifiers, identifiers, st.lists(identifiers.filter(bool), max_size=3))
def test_a_token_holds_exactly_its_grant(trace, span, session, rater, names):
    target = Target(Scope.SPAN, trace_id=f"{trace:032x}", span_id=f"{span:016x}", session_id=session)
    grant = Grant(target, rater, tuple(names))
    assert KEYS.verify(KEYS.mint(grant)) == grant


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="ascii"))
def test_a_token_with_any_character_altered_is_refused(position, character):
    altered = TOKEN[:position] + character + TOKEN[position + 1 :]
    if altered != TOKEN:
        assert refusal(KEYS, altered).status == 401


def test_the_unused_bits_of_the_last_character_cannot_be_altered_either():
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [character for character in alphabet if character != TOKEN[-1]]
    assert {refusal(KEYS, TOKEN[:-1] + character).code for character in others} == {"invalid_token"}


@given(st.integers(0, len(TOKEN)), st.characters())
def test_a_token_with_any_character_added_is_refused(position, character):
    assert refusal(KEYS, TOKEN[:position] + character + TOKEN[position:]).status == 401


@given(st.integers(0, len(TOKEN) - 1))
def test_a_token_with_any_character_missing_is_refused(position):
    assert refusal(KEYS, TOKEN[:position] + TOKEN[position + 1 :]).status == 401


@given(st.text())
def test_no_text_makes_verifying_fail_in_another_way(text):
    assert refusal(KEYS, text).status == 401


def test_a_token_is_good_until_it_expires():
    lasting = KEYS.mint(GRANT, lifetime_seconds=60)
    assert KEYS.verify(lasting) == GRANT
    assert refusal(KEYS, KEYS.mint(GRANT, lifetime_seconds=60, now=1_700_000_000)).code == "expired_token"


def test_tokens_of_an_older_key_live_on_and_new_ones_are_signed_with_the_newest():
    assert KEYS.verify(Keyring(("old",)).mint(GRANT)) == GRANT
    assert Keyring(("new",)).verify(KEYS.mint(GRANT)) == GRANT
    assert refusal(Keyring(("old",)), KEYS.mint(GRANT)).code == "unknown_key"


def test_a_secret_that_signs_other_things_too_makes_no_rating_token():
    claims = {"aud": AUDIENCE, "exp": 4_000_000_000, "scp": "session", "ses": "c-1"}
    kid = _derive_key("new").key_id
    forged = jwt.encode(claims, "new" * 16, algorithm="HS256", headers={"kid": kid})
    assert refusal(KEYS, forged).code == "invalid_token"


@pytest.mark.parametrize(
    "changed", [{"aud": "something-else"}, {"exp": None}, {"scp": "everything"}, {"ses": None}, {"aud": None}]
)
def test_a_signed_token_of_another_purpose_or_shape_is_refused(changed):
    claims = {"aud": AUDIENCE, "exp": 4_000_000_000, "scp": "session", "ses": "c-1"} | changed
    key = _derive_key("new")
    present = {name: value for name, value in claims.items() if value is not None}
    token = jwt.encode(present, key.secret, algorithm="HS256", headers={"kid": key.key_id})
    assert refusal(KEYS, token).code == "invalid_token"


def test_an_unsigned_token_is_refused():
    claims = {"aud": AUDIENCE, "exp": 4_000_000_000, "scp": "session", "ses": "c-1"}
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": _derive_key("new").key_id})
    assert refusal(KEYS, unsigned).code == "invalid_token"


def test_without_keys_nothing_is_minted_and_nothing_is_taken():
    empty = Keyring(())
    assert not empty
    assert refusal(empty, TOKEN).code == "no_signing_key"
    with pytest.raises(TokenError, match="OTEL_FEEDBACK_SIGNING_KEYS"):
        empty.mint(GRANT)


def test_a_token_can_stand_in_a_url_and_in_a_header():
    assert set(TOKEN) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert len(TOKEN) < 512


@pytest.mark.parametrize("header", [b"[]", b"5", b"{", b"\xff", b'"kid"', b"[" * 2500, b'{"kid": ["x"]}', b"{}", b"a"])
def test_a_header_that_is_no_header_is_refused_like_any_altered_token(header):
    _, claims, signature = TOKEN.split(".")
    forged = base64.urlsafe_b64encode(header).rstrip(b"=").decode()
    assert refusal(KEYS, f"{forged}.{claims}.{signature}").code in {"invalid_token", "unknown_key"}
    assert refusal(KEYS, f"A.{claims}.{signature}").code == "invalid_token"


def outcome(keyring: Keyring, token: str) -> Grant | str:
    try:
        return keyring.verify(token)
    except TokenError as error:
        return error.code


def by_pyjwt_alone(*secrets: str) -> Keyring:
    """A keyring that knows no token by its header, and so asks PyJWT about each."""
    keyring = Keyring(secrets)
    vars(keyring)["_signers_by_header"] = {}
    return keyring


def test_a_token_as_minted_is_verified_without_pyjwt(monkeypatch):
    monkeypatch.setattr(jwt, "decode", lambda *_, **__: pytest.fail("PyJWT was asked"))
    assert Keyring(("other", "new")).verify(TOKEN) == GRANT


claim_values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5), st.just([AUDIENCE]),
    st.sampled_from([AUDIENCE, "session", "span", 4_000_000_000, 4_000_000_000.5, "4000000000", 1_700_000_000, 0, -1]),
)  # fmt: skip
claim_names = st.sampled_from(
    ["aud", "exp", "scp", "ses", "sub", "nam", "tid", "sid", "rid", "nbf", "iat", "iss", "jti", "crit"]
)


@given(st.dictionaries(claim_names, claim_values, max_size=3), st.sampled_from(["new", "old", "gone"]))
def test_whatever_claims_are_signed_what_is_accepted_is_what_pyjwt_accepts(changed, secret):
    claims = {"aud": AUDIENCE, "exp": 4_000_000_000, "scp": "session", "ses": "c-1"} | changed
    key = _derive_key(secret)
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    header = Keyring((secret,)).mint(GRANT).partition(".")[0]
    token = f"{header}.{payload}.{_signature(key.secret, f'{header}.{payload}')}"
    assert_the_same_outcome(token)


@pytest.mark.parametrize(
    "payload",
    [b"", b"5", b"null", b"[]", b"{}", b"{", b"\xff", b'"aud"', b"[" * 2000, b'{"aud": {}}'],
    ids=lambda payload: repr(payload[:8]),
)
def test_a_signed_payload_that_holds_no_claims_is_refused_as_by_pyjwt(payload):
    header = TOKEN.partition(".")[0]
    body = base64.urlsafe_b64encode(payload).rstrip(b"=").decode() or "A"
    assert_the_same_outcome(f"{header}.{body}.{_signature(_derive_key('new').secret, f'{header}.{body}')}")


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("AQgwZz09-_.~"))
def test_an_altered_token_has_the_same_outcome_as_by_pyjwt(position, character):
    assert_the_same_outcome(TOKEN[:position] + character + TOKEN[position + 1 :])


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512", "none"])
@pytest.mark.parametrize("headers", [{}, {"typ": "other"}, {"crit": ["b64"], "b64": False}, {"zip": "DEF"}])
def test_a_header_of_its_own_has_the_same_outcome_as_by_pyjwt(algorithm, headers):
    key = _derive_key("new")
    claims = {"aud": AUDIENCE, "exp": 4_000_000_000, "scp": "session", "ses": "c-1"}
    head = {"alg": algorithm, "kid": key.key_id, **headers}
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in (head, claims)]
    signed = ".".join(parts)
    assert_the_same_outcome(f"{signed}.{_signature(key.secret, signed)}")


def test_a_token_that_was_verified_before_is_refused_once_it_expires(monkeypatch):
    token = KEYS.mint(GRANT, lifetime_seconds=60)
    assert KEYS.verify(token) == KEYS.verify(token) == GRANT
    later = time.time() + 61
    monkeypatch.setattr("otel_feedback.tokens.time", SimpleNamespace(time=lambda: later))
    monkeypatch.setattr("jwt.api_jwt.datetime", SimpleNamespace(now=lambda tz: datetime.fromtimestamp(later, tz)))
    assert refusal(KEYS, token).code == "expired_token"


def test_a_token_that_was_verified_before_is_refused_in_every_altered_form():
    assert KEYS.verify(TOKEN) == GRANT
    header, claims, signature = TOKEN.split(".")
    for altered in (
        TOKEN + "=", TOKEN + "A", " " + TOKEN, TOKEN + "\n", TOKEN.upper(), TOKEN.lower(), TOKEN + ".", "." + TOKEN,
        f"{header}=.{claims}.{signature}", f"{header}.{claims}=.{signature}", f"{header}.{claims}..{signature}",
        f"{claims}.{header}.{signature}", f"{header}.{claims}", TOKEN.replace("e", "\u0435"),
    ):  # fmt: skip
        assert altered != TOKEN
        assert refusal(KEYS, altered).status == 401


def test_a_token_that_was_verified_before_is_refused_once_its_key_is_gone(monkeypatch):
    """As after a change of OTEL_FEEDBACK_SIGNING_KEYS: the tokens that were known go with the keys."""
    monkeypatch.setenv("OTEL_FEEDBACK_SIGNING_KEYS", "leaked")
    configuration.forget()
    token = configuration.keyring().mint(GRANT)
    assert configuration.keyring().verify(token) == GRANT
    monkeypatch.setenv("OTEL_FEEDBACK_SIGNING_KEYS", "new")
    configuration.forget()
    assert refusal(configuration.keyring(), token).code == "unknown_key"
    configuration.forget()


def test_a_refused_token_is_read_anew_each_time_and_never_known():
    keyring = Keyring(("new",))
    for _ in range(2):
        assert refusal(keyring, TOKEN[:-1]).code == "invalid_token"
    assert keyring._known.cache_info().currsize == 0


def test_only_so_many_tokens_are_known():
    keyring = Keyring(("new",))
    for number in range(MOST_KNOWN_TOKENS + 5):
        keyring.verify(keyring.mint(Grant(GRANT.target, f"u-{number}")))
    assert keyring._known.cache_info().currsize == MOST_KNOWN_TOKENS


def _signature(secret: bytes, signed: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256")).rstrip(b"=").decode()


def assert_the_same_outcome(token: str) -> None:
    """Whether PyJWT is asked at once or only about what is not plainly good, the outcome is one."""
    assert outcome(KEYS, token) == outcome(by_pyjwt_alone("new", "old"), token)
