"""Every setting: its environment variable, its default, and what it does. The environment wins over the file.

The optional TOML file (``otel-feedback.toml`` in the working directory, or the one that OTEL_FEEDBACK_CONFIG
names) holds the same names in lower case without the prefix. A secret may stand in a file of its own, which the name
with ``_FILE`` (``_file``) names. Relative paths are made absolute when they are read: the working directory is another
one for a moment when a thread imports chdb.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from otel_feedback.errors import ConfigurationError
from otel_feedback.secret_files import SUFFIX, SecretFile, secret_file

PREFIX: Final = "OTEL_FEEDBACK_"
DEFAULT_FILE: Final = "otel-feedback.toml"

LogFormat: TypeAlias = Literal["text", "json"]
Carriers: TypeAlias = Literal["both", "spans", "logs"]
FilePath: TypeAlias = str
"""An absolute path, or "" for none."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. Port 0 picks a free port."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _setting(default: str, description: str, *, secret: bool = False, holds_password: bool = False) -> Any:
    """A secret, and a URL that may hold a password, may stand in a file, and is in no ``repr``."""
    may_be_file = secret or holds_password
    metadata = {"default": default, "description": description, "secret": secret, "may_be_file": may_be_file}
    return field(metadata=metadata, repr=not may_be_file)


@dataclass(frozen=True)
class Settings:
    """The settings in force. ``Settings.load()`` reads them; a field's metadata tells its default and meaning."""

    data_dir: Path = _setting("./otel-feedback-data", "where the queue and the embedded database live")
    database_url: str = _setting(
        "",
        "chdb:///<dir> (embedded; default <data dir>/clickhouse) or clickhouse[s]://user:password@host:8123/otel",
        holds_password=True,
    )
    reader_database_url: str = _setting(
        "",
        "the same server as a user who may only read: for the dashboard, sql, report and insights; none: database_url",
        holds_password=True,
    )
    database_ca: FilePath = _setting(
        "", "PEM bundle of who signed the certificate of clickhouses://; none: the authorities that this machine trusts"
    )
    grpc_address: Address = _setting("127.0.0.1:4317", "OTLP/gRPC; port 0 picks a free one and prints it")
    http_address: Address = _setting("127.0.0.1:4318", "OTLP/HTTP, /v1/feedback and /feedback.js")
    dashboard_address: Address = _setting("127.0.0.1:4380", "the dashboard and its JSON API")
    ingest_tokens: tuple[str, ...] = _setting(
        "", "comma separated bearer tokens for OTLP; none: loopback or mTLS only", secret=True
    )
    dashboard_token: tuple[str, ...] = _setting(
        "", "comma separated tokens for the dashboard, each opens it; none: loopback only", secret=True
    )
    signing_keys: tuple[str, ...] = _setting("", "comma separated, newest first; signs rating tokens", secret=True)
    allowed_origins: tuple[str, ...] = _setting("", "comma separated origins whose pages may send ratings and OTLP")
    votes_per_minute: int = _setting(
        "120", "of one rater, given and taken back; reading back ten times as often; 0: no limit"
    )
    requests_per_minute: int = _setting("6000", "to /v1/feedback, of one address; 0: no limit")
    tls_cert: FilePath = _setting("", "PEM certificate chain for the OTLP ports and the dashboard")
    tls_key: FilePath = _setting("", "PEM private key of the certificate")
    tls_client_ca: FilePath = _setting("", "PEM bundle: OTLP only from clients whose certificate it signed (mTLS)")
    cluster: str = _setting("", "name of a ClickHouse cluster, of which the URL names a node; see docs/cluster.md")
    retention_seconds: int = _setting("30d", "how long unrated traces are kept after their newest span; 0d: for ever")
    retention_rated_seconds: int = _setting(
        "400d", "how long ratings and what they rate are kept, and no less than the unrated; 0d: for ever"
    )
    capture_comments: bool = _setting("true", "store comments and corrections")
    redact: str = _setting(
        "", "package.module:function that gets each comment, correction and reason, and returns what may be stored"
    )
    pseudonym_key: str = _setting(
        "", "secret that turns users, raters and annotators into pseudonyms; none: as given", secret=True
    )
    ratings_as: Carriers = _setting("both", "SDK: how ratings leave the app: as spans, as logs (log records), or both")
    endpoint: str = _setting(
        "", "SDK: the service's OTLP/HTTP address, where votes are read back; default OTEL_EXPORTER_OTLP_ENDPOINT"
    )
    max_request_bytes: int = _setting("64MiB", "largest OTLP request, after decompression")
    max_queue_bytes: int = _setting(
        "4GiB", "of each signal, what may wait on disk for the database; beyond it requests are refused for a while"
    )
    log_format: LogFormat = _setting("text", "the service's log: text, or json for one object a line")
    unmatched_after_seconds: int = _setting("1d", "a rating whose trace has not come by then counts as unmatched")

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
        """Read the environment, then the TOML file, then the defaults.

        Raises:
            ConfigurationError: a value can't be read, or the file names a setting that does not exist.
        """
        environment = os.environ if environment is None else environment
        from_file = _read_file(environment, file)
        values: dict[str, Any] = {}
        for each in fields(cls):
            name = setting_name(each.name)
            variable = PREFIX + name.upper()
            its_file = secret_file(name, PREFIX, environment, from_file) if each.metadata["may_be_file"] else None
            if its_file is not None:
                text = its_file.read(is_list=str(each.type).startswith("tuple"))
            else:
                text = environment.get(variable) or from_file.get(name) or each.metadata["default"]
            try:
                values[each.name] = _parser_of(each.name, str(each.type))(text)
            except ValueError as error:
                raise ConfigurationError(f"{variable}={text!r} can't be read: {error}") from None
        values["database_url"] = values["database_url"] or f"chdb://{values['data_dir'] / 'clickhouse'}"
        return cls(**values)


def setting_name(field_name: str) -> str:
    """The name people write: durations carry their unit in the value, so the field's unit suffix is dropped."""
    return field_name.removesuffix("_seconds")


def secret_sources(settings: Settings, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The files that secrets and certificates of these settings come from, and the TOML file.

    Raises:
        ConfigurationError: as ``Settings.load``.
    """
    from_file = _read_file(environment, None)
    names = [setting_name(each.name) for each in fields(Settings) if each.metadata["may_be_file"]]
    found: list[SecretFile | None] = [secret_file(name, PREFIX, environment, from_file) for name in names]
    certificates = (settings.tls_cert, settings.tls_key, settings.tls_client_ca)
    return (
        _absolute(environment.get(PREFIX + "CONFIG") or DEFAULT_FILE),
        *(each.path for each in found if each is not None),
        *(Path(each) for each in certificates if each),
    )


def _read_file(environment: Mapping[str, str], file: Path | None) -> dict[str, str]:
    named = environment.get(PREFIX + "CONFIG")
    path = file or Path(named or DEFAULT_FILE)
    if not path.exists():
        if named or file:
            raise ConfigurationError(f"{path} does not exist; OTEL_FEEDBACK_CONFIG must name a TOML file")
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} is not a readable TOML file: {error}") from None
    known = {setting_name(each.name) for each in fields(Settings)}
    files = {setting_name(each.name) + SUFFIX for each in fields(Settings) if each.metadata["may_be_file"]}
    unknown = sorted(set(table) - known - files)
    if unknown:
        raise ConfigurationError(f"{path} has no such setting: {', '.join(unknown)}. Known: {', '.join(sorted(known))}")
    return {name: ",".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in table.items()}


def parse_address(text: str) -> Address:
    """``host:port``; an IPv6 host stands in brackets.

    Raises:
        ValueError: there is no port, or it is not in 0..65535.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("expected host:port with a port from 0 to 65535, e.g. 127.0.0.1:4318")
    return Address(host.strip("[]"), int(port))


_DURATION_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SIZE_UNITS: Final = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def parse_duration_seconds(text: str) -> int:
    """``90s``, ``15m``, ``12h``, ``30d``, ``8w`` in seconds.

    Raises:
        ValueError: it is no such duration.
    """
    match = re.fullmatch(r"(\d+)\s*([smhdw])", text.strip())
    if not match:
        raise ValueError("expected a number with a unit of s, m, h, d or w, e.g. 30d")
    return int(match[1]) * _DURATION_UNITS[match[2]]


def parse_size_bytes(text: str) -> int:
    """``1048576``, ``64 MiB``, ``1GiB`` in bytes.

    Raises:
        ValueError: it is no such size.
    """
    match = re.fullmatch(r"(\d+)\s*(B|KiB|MiB|GiB)?", text.strip())
    if not match:
        raise ValueError("expected a number of bytes, or with a unit of KiB, MiB or GiB, e.g. 64MiB")
    return int(match[1]) * _SIZE_UNITS[match[2] or ""]


def _parse_bool(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in {"true", "1", "yes", "on"}:
        return True
    if lowered in {"false", "0", "no", "off"}:
        return False
    raise ValueError("expected true or false")


def _parse_log_format(text: str) -> LogFormat:
    match text.strip().lower():
        case "text":
            return "text"
        case "json":
            return "json"
    raise ValueError("expected text or json")


def _parse_carriers(text: str) -> Carriers:
    match text.strip().lower():
        case "both":
            return "both"
        case "spans":
            return "spans"
        case "logs":
            return "logs"
    raise ValueError("expected both, spans or logs")


def _parse_count(text: str) -> int:
    if not text.strip().isdecimal():
        raise ValueError("expected a whole number, 0 or above")
    return int(text)


def _parse_list(text: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)


def _absolute(text: str) -> Path:
    try:
        return Path(text).absolute()
    except FileNotFoundError:  # the working directory was removed: an instrumented app must not end for that
        return Path(text)


_PARSERS: Final[dict[str, Callable[[str], Any]]] = {
    "Path": _absolute,
    "FilePath": lambda text: text and str(_absolute(text)),
    "str": str,
    "Address": parse_address,
    "tuple[str, ...]": _parse_list,
    "bool": _parse_bool,
    "int": _parse_count,
    "LogFormat": _parse_log_format,
    "Carriers": _parse_carriers,
}
_UNIT_PARSERS: Final[dict[str, Callable[[str], Any]]] = {
    "_seconds": parse_duration_seconds,
    "_bytes": parse_size_bytes,
}


def _parser_of(field_name: str, type_name: str) -> Callable[[str], Any]:
    for suffix, parser in _UNIT_PARSERS.items():
        if field_name.endswith(suffix):
            return parser
    return _PARSERS[type_name]
