"""SQL lives in files under ``sql/``, one statement a file. This reads them."""

from __future__ import annotations

import functools
import re
import textwrap
from importlib.resources import files
from string import Template
from typing import Final

_ROOT: Final = files("otel_feedback.clickhouse").joinpath("sql")
_FRAGMENT_LINE: Final = re.compile(r"^( +)\$([a-z_]+)", re.MULTILINE)
_MIGRATION: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@functools.cache
def load(name: str) -> str:
    """The text of a file under ``sql/``, e.g. ``queries/feedback_list.sql``; read once.

    ``$name`` in it stands for what is in ``fragments/name.*``, so that several statements can share it; where it begins
    a line, all of the fragment is indented as it is. Migrations share nothing: one that has run somewhere must not
    change with a fragment.
    """
    text = _ROOT.joinpath(*name.split("/")).read_text(encoding="utf-8").strip()
    if "$" not in text:
        return text
    fragments = _fragments()
    text = _FRAGMENT_LINE.sub(lambda line: textwrap.indent(fragments.get(line[2], f"${line[2]}"), line[1]), text)
    return Template(text).safe_substitute(fragments)


def render(name: str, **parts: str) -> str:
    """A file whose other ``$name`` places are filled with ``parts``, which are pieces of SQL.

    Values belong in ``{name:Type}`` parameters; where ClickHouse takes none (the settings of an INSERT) they come as
    ``literal``.
    """
    return Template(load(name)).substitute(parts)


@functools.cache
def _fragments() -> dict[str, str]:
    files_of = _ROOT.joinpath("fragments").iterdir()
    return {each.name.partition(".")[0]: each.read_text(encoding="utf-8").strip() for each in files_of}


def literal(text: str) -> str:
    """The text as a string literal of ClickHouse's; what could not be seen in it, or turns it around, is escaped."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    if not escaped.isprintable():
        escaped = "".join(each if each.isprintable() else _escape(each) for each in escaped)
    return f"'{escaped}'"


def _escape(character: str) -> str:
    is_byte = "\udc80" <= character <= "\udcff"  # as Python has a byte of a path that is no UTF-8
    encoded = character.encode("utf-8", "surrogateescape" if is_byte else "surrogatepass")
    return "".join(f"\\x{byte:02X}" for byte in encoded)


@functools.cache
def names(folder: str) -> tuple[str, ...]:
    """What the statements in a folder under ``sql/`` are called, without their ending, in alphabetical order."""
    files_of = [each.name for each in _ROOT.joinpath(folder).iterdir()]
    return tuple(sorted(name.removesuffix(".sql") for name in files_of if name.endswith(".sql")))


@functools.cache
def migrations() -> tuple[tuple[int, str], ...]:
    """The version and the file of every migration, in order."""
    names = sorted(each.name for each in _ROOT.joinpath("migrations").iterdir() if each.name.endswith(".sql"))
    found = []
    for name in names:
        match = _MIGRATION.fullmatch(name)
        if match is None:
            raise ValueError(f"{name} is no migration's name: NNNN_verb_object.sql")
        found.append((int(match[1]), f"migrations/{name}"))
    return tuple(found)
