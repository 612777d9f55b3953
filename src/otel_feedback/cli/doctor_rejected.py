"""``otel-feedback doctor rejected``: see, put back or remove the requests that ClickHouse refused."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from otel_feedback.errors import ConfigurationError, DataDirectoryError
from otel_feedback.settings import Settings

if TYPE_CHECKING:
    from otel_feedback.service.rejected import RejectedFile

SUMMARY: Final = "list the requests that were rejected; show one, put them back, or remove them"
EXAMPLE: Final = "otel-feedback doctor rejected replay --all"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare what can be done with them; nothing given lists them."""
    # Suppressed, so that it does not undo what was given before the subcommand.
    parser.add_argument("--format", choices=("text", "json"), default=argparse.SUPPRESS, help="default: text")
    actions = parser.add_subparsers(dest="action", metavar="[show|replay|drop]")
    show = actions.add_parser("show", help="print the requests in one file as OTLP/JSON, one a line")
    show.add_argument("name", metavar="NAME")
    replay = actions.add_parser("replay", help="put files back into the queue; they are written exactly once")
    drop = actions.add_parser("drop", help="remove files for good")
    drop.add_argument("--yes", action="store_true", help="do not ask")
    for each in (replay, drop):
        which = each.add_mutually_exclusive_group(required=True)
        which.add_argument("names", metavar="NAME", nargs="*", default=[])
        which.add_argument("--all", action="store_true", help="every file")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked for.

    Raises:
        OtelFeedbackError: there is no such file, or it can't be put back.
    """
    data_dir = Settings.load().data_dir
    try:
        match arguments.action:
            case "show":
                return _show(data_dir, arguments.name)
            case "replay":
                return _replay(data_dir, _chosen(data_dir, arguments))
            case "drop":
                return _drop(_chosen(data_dir, arguments), is_confirmed=arguments.yes)
        return _list(data_dir, arguments.format)
    except OSError as error:
        raise DataDirectoryError(
            f"{error.filename or data_dir} can't be used: {error.strerror}. Run this as the service's user"
        ) from None


def _chosen(data_dir: Path, arguments: argparse.Namespace) -> list[RejectedFile]:
    from otel_feedback.service.rejected import find, rejected_files  # noqa: PLC0415  # --help needs no service

    return rejected_files(data_dir) if arguments.all else [find(data_dir, name) for name in arguments.names]


def _list(data_dir: Path, format_name: str) -> int:
    from otel_feedback.service.rejected import rejected_files  # noqa: PLC0415  # as above

    files = rejected_files(data_dir)
    if format_name == "json":
        print(json.dumps([_row(each) for each in files], indent=2))
    elif not files:
        print(f"Nothing was rejected in {data_dir}.")
    for each in files if format_name == "text" else ():
        row = _row(each)
        print(f"{each.name}\n  {row['signal']}, {each.requests} request(s), {each.size_bytes} bytes, {row['rejected']}")
        print("".join(f"  {line}\n" for line in each.reason.splitlines()[:6]))
    return 0


def _row(file: RejectedFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "signal": file.signal,
        "requests": file.requests,
        "damaged": file.damaged,
        "size_bytes": file.size_bytes,
        "rejected": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(file.rejected_unix)),
        "code": file.code,
        "reason": file.reason,
    }


def _show(data_dir: Path, name: str) -> int:
    from otel_feedback.service.rejected import decoded, find  # noqa: PLC0415  # as above

    file = find(data_dir, name)
    print(file.reason, file=sys.stderr)
    for request in decoded(file):
        print(json.dumps(request, ensure_ascii=False))
    return 0


def _replay(data_dir: Path, files: list[RejectedFile]) -> int:
    from otel_feedback.running_service import has_service  # noqa: PLC0415  # as above
    from otel_feedback.service.rejected import put_back  # noqa: PLC0415  # as above

    if not files:
        print(f"Nothing was rejected in {data_dir}.")
    sound = [each for each in files if not each.damaged]
    for each in files if len(files) == 1 else sound:
        put_back(data_dir, each)
        print(f"{each.name}: put back, {each.requests} request(s)")
    if len(files) > 1 and len(sound) < len(files):
        print(f"{len(files) - len(sound)} damaged file(s) stay: they can be shown, not put back")
    if sound and has_service(data_dir):
        print("The running service writes them within seconds. What is still refused comes back here.")
    elif sound:
        print("They are written when the service starts: otel-feedback serve")
    return 0


def _drop(files: list[RejectedFile], *, is_confirmed: bool) -> int:
    from otel_feedback.service.rejected import drop  # noqa: PLC0415  # as above

    requests = sum(each.requests for each in files)
    if files and not is_confirmed:
        if not sys.stdin.isatty():
            raise ConfigurationError("this removes requests for good; confirm it with --yes")
        if input(f"Remove {len(files)} file(s) with {requests} request(s) for good? [y/N] ").strip().lower() != "y":
            print("Nothing was removed.")
            return 1
    for each in files:
        drop(each)
    print(f"{len(files)} file(s) with {requests} request(s) were removed.")
    return 0
