"""What lies in ``rejected/``, for people: list it, look into it, put it back into the queue, or remove it.

Refused requests and damaged stretches of one signal lie in ``rejected/<signal>/``, each beside its ``.reason``. They
have no rows in the database (see ``isolation``), so they go back under a new name, that is, a new deduplication token.
The move is one rename: what was moved is in the queue, once, whoever is killed. A service that runs takes it from there
within seconds, one that does not when it starts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from google.protobuf.message import DecodeError

from otel_feedback.clickhouse.segments import Signal
from otel_feedback.errors import OtelFeedbackError
from otel_feedback.service.durable_queue import files
from otel_feedback.service.durable_queue.segment import Damage, Record, scan
from otel_feedback.service.otlp_json import to_json

DIRECTORY: Final = "rejected"
_CODE: Final = re.compile(r"\bcode:? (\d+)", re.IGNORECASE)


class RejectedFileError(OtelFeedbackError):
    """There is no such file in rejected/, or it can't be put back."""


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """One file in ``rejected/``.

    Attributes:
        requests: how many are in it; more than one where the search for the refused ones ended early.
        damaged: stretches of it that no checksum vouches for. A file with any is kept, but can't be put back.
        rejected_unix: when it came here, in seconds.
        code: ClickHouse's error code; 0 where it was not ClickHouse that refused it.
    """

    signal: Signal
    path: Path
    size_bytes: int
    requests: int
    damaged: int
    rejected_unix: float
    code: int
    reason: str

    @property
    def name(self) -> str:
        """What people call it by."""
        return self.path.name


def rejected_files(data_dir: Path) -> list[RejectedFile]:
    """All of them, oldest first. Every byte is read, to count what is in them."""
    return [
        _read(signal, path)
        for signal in get_args(Signal)
        for path in sorted((data_dir / DIRECTORY / signal).glob("*"))
        if path.suffix not in {files.REASON_SUFFIX, files.UNFINISHED_SUFFIX}
    ]


def find(data_dir: Path, name: str) -> RejectedFile:
    """The file of this name, with or without its suffix.

    Raises:
        RejectedFileError: there is none.
    """
    for signal in get_args(Signal):
        for path in (data_dir / DIRECTORY / signal / each for each in (name, f"{name}{files.CLOSED_SUFFIX}")):
            if Path(name).name == name and path.suffix != files.REASON_SUFFIX and path.is_file():
                return _read(signal, path)
    raise RejectedFileError(
        f"{data_dir / DIRECTORY} has no {name}. Run `otel-feedback doctor rejected` to see what is there"
    )


def decoded(file: RejectedFile) -> Iterator[dict[str, Any]]:
    """Its requests in OTLP/JSON, ids in hex; of what can't be decoded, the ``damage`` and the bytes in hex."""
    data = file.path.read_bytes()
    for found in scan(data):
        if isinstance(found, Record):
            try:
                yield json.loads(to_json(file.signal, found.body))
            except DecodeError as error:
                yield {"damage": f"this is no OTLP request: {error}", "hex": found.body.hex()}
        else:
            yield {"damage": found.reason, "hex": data[found.start : found.end].hex()}


def put_back(data_dir: Path, file: RejectedFile) -> str:
    """Put the file back into its queue, durably; its new name there.

    Raises:
        RejectedFileError: it is damaged, or somebody else took it.
        OSError: the disk refused; it is in one of both places.
    """
    if file.damaged:
        raise RejectedFileError(
            f"{file.path} is damaged and can't be put back; `otel-feedback doctor rejected show {file.name}` "
            "shows what can be read of it"
        )
    queue_dir = data_dir / "queue" / file.signal
    files.make_directory(queue_dir)
    name = files.new_segment_name()
    try:
        file.path.rename(queue_dir / f"{name}{files.REPLAY_SUFFIX}")
    except FileNotFoundError:
        raise RejectedFileError(f"{file.path} is gone: somebody else put it back or removed it") from None
    files.sync_directory(queue_dir)
    _remove_reason(file)
    return name


def drop(file: RejectedFile) -> None:
    """Remove the file for good.

    Raises:
        OSError: the disk refused.
    """
    file.path.unlink(missing_ok=True)
    _remove_reason(file)


def _remove_reason(file: RejectedFile) -> None:
    file.path.with_name(f"{file.name}{files.REASON_SUFFIX}").unlink(missing_ok=True)
    files.sync_directory(file.path.parent)


def _read(signal: Signal, path: Path) -> RejectedFile:
    found = list(scan(path.read_bytes()))
    damaged = sum(isinstance(each, Damage) for each in found)
    try:
        reason = path.with_name(f"{path.name}{files.REASON_SUFFIX}").read_text(encoding="utf-8").strip()
    except OSError:
        reason = "the reason could not be written; see the service's log"
    code = _CODE.search(reason)
    status = path.stat()
    return RejectedFile(
        signal,
        path,
        status.st_size,
        len(found) - damaged,
        damaged,
        status.st_ctime,
        int(code[1]) if code else 0,
        reason,
    )
