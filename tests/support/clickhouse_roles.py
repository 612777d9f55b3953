"""The users of ``deploy/clickhouse/roles.sql`` on a server of a test's own.

ClickHouse's library has no place for users that SQL makes, so the file's roles, grants and users come to it as
configuration; each grant is word for word the file's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from tests.support.clickhouse_server import OwnClickHouse

FILE: Final = Path(__file__).parents[2] / "deploy" / "clickhouse" / "roles.sql"
STATEMENTS: Final = [
    each.strip() for each in re.sub(r"^--.*\n", "", FILE.read_text(), flags=re.MULTILINE).split(";") if each.strip()
]
_GRANT: Final = re.compile(r"(GRANT .+) TO (\w+)")
_ROLE: Final = re.compile(r"CREATE ROLE IF NOT EXISTS (\w+)")
_USER: Final = re.compile(
    r"CREATE USER IF NOT EXISTS (\w+) IDENTIFIED WITH sha256_password BY '([^']+)' DEFAULT ROLE (\w+)"
)
# As in the server's own configuration, which a library has not: without grants nobody reads the system's tables.
_STRICT: Final = """
  <access_control_improvements>
    <select_from_system_db_requires_grant>true</select_from_system_db_requires_grant>
    <select_from_information_schema_requires_grant>true</select_from_information_schema_requires_grant>
  </access_control_improvements>
"""


@dataclass(frozen=True)
class Users:
    """The URL for OTEL_FEEDBACK_DATABASE_URL of each user, and the password of the one who writes."""

    migrator: str
    writer: str
    reader: str
    writer_name: str
    writer_password: str


def server_with_roles(folder: Path, more_config: str = "") -> tuple[OwnClickHouse, Users]:
    """A server, not yet started, with these users."""
    grants: dict[str, list[str]] = {}
    for statement in STATEMENTS:
        if match := _GRANT.fullmatch(statement):
            grants.setdefault(match[2], []).append(match[1])
    roles = [match[1] for each in STATEMENTS if (match := _ROLE.match(each))]
    users = {match[1]: (match[2], match[3]) for each in STATEMENTS if (match := _USER.fullmatch(each))}
    users_xml = "".join(
        f"<{name}><password>{escape(password)}</password><networks><ip>::/0</ip></networks>{_granted(grants[name])}</{name}>"
        for name, (password, _) in users.items()
    )
    roles_xml = "".join(f"<{name}>{_granted(grants[name])}</{name}>" for name in roles)
    server = OwnClickHouse(
        folder, more_config=f"<roles>{roles_xml}</roles>{_STRICT}{more_config}", more_users=users_xml
    )
    url_of = {
        role: f"clickhouse://{name}:{password}@127.0.0.1:{server.http_port}/otel"
        for name, (password, role) in users.items()
    }
    writer, (password, _) = next((name, each) for name, each in users.items() if each[1] == "otel_writer")
    return server, Users(url_of["otel_migrator"], url_of["otel_writer"], url_of["otel_reader"], writer, password)


def _granted(grants: list[str]) -> str:
    return "<grants>" + "".join(f"<query>{escape(each)}</query>" for each in grants) + "</grants>"
