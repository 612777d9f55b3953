"""Tokens, keys and certificates are replaced while the service runs, by files that Kubernetes swaps."""

from __future__ import annotations

import signal
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest
from tests.support.certificates import Certificates, make_certificates
from tests.support.commands import otel_feedback
from tests.support.mounted_secrets import MountedSecrets
from tests.support.otlp import trace_request
from tests.support.service import RunningService, running_service, wait_until

from otel_feedback.rating import Scope, Target
from otel_feedback.tokens import Grant, Keyring

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
SECONDS = 20.0
FIRST = {"ingest": "first-ingest-token", "dashboard": "first-dashboard-token\n", "keys": "first-signing-key"}
KEPT = "the former stay in force"
TAKEN = "secrets and certificates were read anew"


@dataclass(frozen=True)
class Rotated:
    """A service whose secrets are in ``secrets``; ``one`` and ``two`` are certificates of two authorities."""

    service: RunningService
    secrets: MountedSecrets
    one: Certificates
    two: Certificates

    def swap(self, content: Mapping[str, str | bytes], *, is_hurried: bool = False) -> None:
        """Swap these, and wait until the service has taken them."""
        before = self.said(TAKEN)
        self.secrets.swap(content)
        if is_hurried:
            self.service.signal(signal.SIGHUP)
        wait_until(lambda: self.said(TAKEN) > before or None, SECONDS, "they were not taken")

    def send(self, token: str) -> int:
        """The status of an OTLP/HTTP request."""
        headers = {**PROTOBUF, "Authorization": f"Bearer {token}"}
        body = trace_request({}).SerializeToString()
        return httpx.post(
            f"{self.service.http}/v1/traces", content=body, headers=headers, verify=self.trust()
        ).status_code

    def send_grpc(self, token: str) -> grpc.StatusCode:
        """The status of an OTLP/gRPC call over a new connection."""
        roots = self.one.authority.certificate.read_bytes() + self.two.authority.certificate.read_bytes()
        with grpc.secure_channel(self.service.grpc, grpc.ssl_channel_credentials(roots)) as channel:
            _, call = status(channel, token)
            return call

    def trust(self) -> ssl.SSLContext:
        """Of both authorities."""
        trust = ssl.create_default_context(cafile=str(self.one.authority.certificate))
        trust.load_verify_locations(str(self.two.authority.certificate))
        return trust

    def said(self, text: str) -> int:
        """How often the log has it."""
        return self.service.log.read_text().count(text)


def status(channel: grpc.Channel, token: str) -> tuple[bytes, grpc.StatusCode]:
    metadata = (("authorization", f"Bearer {token}"),)
    try:
        answer = channel.unary_unary(EXPORT)(trace_request({}).SerializeToString(), metadata=metadata, timeout=20)
    except grpc.RpcError as error:
        return b"", error.code()
    return answer, grpc.StatusCode.OK


def shown(certificates: Certificates) -> dict[str, bytes]:
    pair = certificates.server
    return {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()}


def becomes(ask: Callable[[], object], wanted: object) -> None:
    wait_until(lambda: ask() == wanted or None, SECONDS, f"it did not become {wanted}")


@pytest.fixture(scope="module")
def rotated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rotated]:
    folder = tmp_path_factory.mktemp("rotation")
    (folder / "one").mkdir()
    (folder / "two").mkdir()
    one, two = make_certificates(folder / "one"), make_certificates(folder / "two")
    secrets = MountedSecrets(folder / "secrets", {**FIRST, **shown(one)})
    environment = {
        "OTEL_FEEDBACK_INGEST_TOKENS_FILE": secrets.path("ingest"),
        "OTEL_FEEDBACK_DASHBOARD_TOKEN_FILE": secrets.path("dashboard"),
        "OTEL_FEEDBACK_SIGNING_KEYS": "",
        "OTEL_FEEDBACK_SIGNING_KEYS_FILE": secrets.path("keys"),
        "OTEL_FEEDBACK_TLS_CERT": secrets.path("tls.crt"),
        "OTEL_FEEDBACK_TLS_KEY": secrets.path("tls.key"),
    }
    trust = ssl.create_default_context(cafile=str(one.authority.certificate))
    trust.load_verify_locations(str(two.authority.certificate))
    with running_service(folder / "data", environment, trust=trust) as service:
        yield Rotated(service, secrets, one, two)


@pytest.fixture
def fresh(rotated: Rotated) -> Rotated:
    """As it began."""
    rotated.swap({**FIRST, **shown(rotated.one)}, is_hurried=True)
    return rotated


def test_ingest_tokens_are_replaced_on_both_ports(fresh: Rotated):
    pid = fresh.service.pid
    assert fresh.send_grpc("first-ingest-token") is grpc.StatusCode.OK
    assert fresh.send("second-ingest-token") == 401
    fresh.swap({"ingest": "second-ingest-token\nfirst-ingest-token\n"})
    assert fresh.send("second-ingest-token") == 200
    assert fresh.send("first-ingest-token") == 200, "apps may change one after the other"
    fresh.swap({"ingest": "second-ingest-token\n"})
    assert fresh.send("first-ingest-token") == 401
    assert fresh.send_grpc("first-ingest-token") is grpc.StatusCode.UNAUTHENTICATED
    assert fresh.send_grpc("second-ingest-token") is grpc.StatusCode.OK
    assert fresh.service.pid == pid


def test_a_removed_dashboard_token_opens_nothing_nor_do_its_cookies(fresh: Rotated):
    with httpx.Client(base_url=fresh.service.dashboard, verify=fresh.trust(), timeout=30) as browser:
        assert browser.post("/login", data={"token": "first-dashboard-token"}).status_code == 303
        assert browser.get("/users").status_code == 200
        fresh.swap({"dashboard": "second-dashboard-token,first-dashboard-token"})
        second = {"Authorization": "Bearer second-dashboard-token"}
        assert httpx.get(f"{browser.base_url}/users", headers=second, verify=fresh.trust()).status_code == 200
        assert browser.get("/users").status_code == 200, "who is signed in stays so while the token is there"
        fresh.swap({"dashboard": "second-dashboard-token"})
        assert browser.get("/users").status_code == 303
        assert browser.post("/login", data={"token": "first-dashboard-token"}).status_code == 401
        assert browser.post("/login", data={"token": "second-dashboard-token"}).status_code == 303


def test_rating_tokens_live_as_long_as_their_key_is_in_the_file(fresh: Rotated):
    def read_back(key: str) -> int:
        token = Keyring((key,)).mint(Grant(Target(Scope.SESSION, session_id="c-1"), "rater"))
        url, headers = f"{fresh.service.http}/v1/feedback", {"Authorization": f"Bearer {token}"}
        return httpx.get(url, headers=headers, verify=fresh.trust()).status_code

    assert (read_back("first-signing-key"), read_back("second-signing-key")) == (200, 401)
    fresh.swap({"keys": "second-signing-key,first-signing-key"})
    assert (read_back("first-signing-key"), read_back("second-signing-key")) == (200, 200)
    fresh.swap({"keys": "second-signing-key"})
    assert read_back("first-signing-key") == 401


def test_every_port_shows_the_new_certificate_and_open_connections_go_on(fresh: Rotated):
    only_two = ssl.create_default_context(cafile=str(fresh.two.authority.certificate))
    roots = fresh.two.authority.certificate.read_bytes()

    def is_shown(url: str) -> bool:
        try:
            return httpx.get(f"{url}/healthz", verify=only_two).status_code == 200
        except httpx.ConnectError:
            return False

    former_roots = grpc.ssl_channel_credentials(fresh.one.authority.certificate.read_bytes())
    with (
        httpx.Client(base_url=fresh.service.http, verify=fresh.trust()) as client,
        grpc.secure_channel(fresh.service.grpc, former_roots) as former,
    ):
        assert client.get("/healthz").status_code == 200
        assert status(former, "first-ingest-token")[1] is grpc.StatusCode.OK
        assert not is_shown(fresh.service.http)
        fresh.swap(shown(fresh.two))
        assert is_shown(fresh.service.http)
        assert is_shown(fresh.service.dashboard)
        with grpc.secure_channel(fresh.service.grpc, grpc.ssl_channel_credentials(roots)) as channel:
            assert status(channel, "first-ingest-token")[1] is grpc.StatusCode.OK
        assert client.get("/healthz").status_code == 200
        assert status(former, "first-ingest-token")[1] is grpc.StatusCode.OK
    done = otel_feedback(
        fresh.service.data_dir, "sql", "SELECT 1 AS one", "--format", "CSV", environment={"OTEL_FEEDBACK_TLS_CERT": ""}
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", ""), "commands trust what the service shows"


BROKEN = {
    "half a certificate": lambda rotated: {"tls.crt": shown(rotated.two)["tls.crt"][:300]},
    "a certificate without its key": lambda rotated: {"tls.crt": shown(rotated.two)["tls.crt"]},
    "no token at all": lambda _: {"ingest": "\n"},
    "a token that is no text": lambda _: {"ingest": b"\xff\xfe"},
}


@pytest.mark.parametrize("what", list(BROKEN))
def test_what_can_not_be_used_is_told_and_nothing_of_it_is_taken(fresh: Rotated, what: str):
    before = fresh.said(KEPT)
    fresh.secrets.swap({"dashboard": "taken-with-nothing", **BROKEN[what](fresh)})
    wait_until(lambda: fresh.said(KEPT) > before or None, SECONDS, "it was not told")
    assert fresh.send("first-ingest-token") == 200
    assert fresh.send_grpc("first-ingest-token") is grpc.StatusCode.OK
    bearer = {"Authorization": "Bearer first-dashboard-token"}
    assert httpx.get(f"{fresh.service.dashboard}/users", headers=bearer, verify=fresh.trust()).status_code == 200
    fresh.swap({"ingest": "mended-ingest-token", **shown(fresh.two)})
    assert fresh.send("mended-ingest-token") == 200


def test_a_file_that_is_gone_changes_nothing_until_it_is_back(fresh: Rotated):
    before, link = fresh.said(KEPT), fresh.secrets.folder / "ingest"
    link.unlink()
    wait_until(lambda: fresh.said(KEPT) > before or None, SECONDS, "it was not told")
    assert fresh.send("first-ingest-token") == 200
    link.write_text("a-plain-file-now")
    becomes(lambda: fresh.send("a-plain-file-now"), 200)
    link.unlink()
    link.symlink_to(Path("..data", "ingest"))


def test_a_hangup_signal_looks_at_once_and_ends_nothing(fresh: Rotated):
    before = fresh.said("replaced: none")
    fresh.service.signal(signal.SIGHUP)
    wait_until(lambda: fresh.said("replaced: none") > before or None, SECONDS, "it did not look")
    assert fresh.send("first-ingest-token") == 200


def test_no_secret_of_any_time_is_in_the_log(fresh: Rotated):
    fresh.swap({"ingest": "third-ingest-token"})
    assert fresh.send("third-ingest-token") == 200
    text = fresh.service.log.read_text()
    assert "replaced: OTEL_FEEDBACK_INGEST_TOKENS" in text
    for secret in ("ingest-token", "dashboard-token", "signing-key", "BEGIN PRIVATE"):
        assert secret not in text, secret


def test_clients_of_a_removed_authority_are_refused(tmp_path: Path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = make_certificates(tmp_path / "one"), make_certificates(tmp_path / "two")
    secrets = MountedSecrets(tmp_path / "secrets", {"ca.crt": one.authority.certificate.read_bytes(), **shown(one)})
    trust = ssl.create_default_context(cafile=str(one.authority.certificate))
    environment = {
        "OTEL_FEEDBACK_TLS_CERT": secrets.path("tls.crt"),
        "OTEL_FEEDBACK_TLS_KEY": secrets.path("tls.key"),
        "OTEL_FEEDBACK_TLS_CLIENT_CA": secrets.path("ca.crt"),
    }
    with running_service(tmp_path / "data", environment, trust=trust) as service:
        known = ssl.create_default_context(cafile=str(one.authority.certificate))
        known.load_cert_chain(one.client.certificate, one.client.key)
        new = ssl.create_default_context(cafile=str(one.authority.certificate))
        new.load_cert_chain(two.client.certificate, two.client.key)

        def takes(context: ssl.SSLContext) -> bool:
            try:
                return httpx.post(f"{service.http}/v1/traces", headers=PROTOBUF, verify=context).status_code == 200
            except httpx.TransportError:
                return False

        def takes_over_grpc(certificates: Certificates) -> bool:
            pair, roots = certificates.client, one.authority.certificate.read_bytes()
            credentials = grpc.ssl_channel_credentials(roots, pair.key.read_bytes(), pair.certificate.read_bytes())
            with grpc.secure_channel(service.grpc, credentials) as channel:
                return status(channel, "")[1] is grpc.StatusCode.OK

        assert (takes(known), takes(new)) == (True, False)
        secrets.swap({"ca.crt": two.authority.certificate.read_bytes()})
        becomes(lambda: takes(new), wanted=True)
        assert not takes(known), "not even by taking its former session up again"
        assert takes_over_grpc(two)
        assert not takes_over_grpc(one)
