"""``otel-feedback erase``: remove a person from everything that is kept, or what has passed its time."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from otel_feedback.errors import DataDirectoryError, UsageError
from otel_feedback.settings import Settings

if TYPE_CHECKING:
    from otel_feedback.clickhouse.erasure import Erased
    from otel_feedback.service.rejected_people import Found

SUMMARY: Final = "remove a person from everything that is kept, or what has passed its time"
EXAMPLE: Final = "otel-feedback erase --user u-7 --yes"
QUEUE_PATIENCE_SECONDS: Final = 30.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--user",
        action="append",
        metavar="ID",
        help="a person's id as your app gave it to session() or record(), or put on spans; may be given several times",
    )
    what.add_argument(
        "--expired", action="store_true", help="one sweep by OTEL_FEEDBACK_RETENTION, as the service does every hour"
    )
    parser.add_argument("--dry-run", action="store_true", help="count what would go, and remove nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(arguments: argparse.Namespace) -> int:
    """Remove it and print the receipt; 1 if something is left that a person must look at.

    Raises:
        OtelFeedbackError: not everything can be reached just now, or nobody confirmed it; the text says what to do.
    """
    settings = Settings.load()
    try:
        if arguments.expired:
            return _sweep(settings, arguments)
        return _erase(settings, arguments)
    except OSError as error:
        raise DataDirectoryError(
            f"{error.filename or settings.data_dir} can't be used: {error.strerror}. Run this as the service's user"
        ) from None


def _sweep(settings: Settings, arguments: argparse.Namespace) -> int:
    from otel_feedback.dashboard.erase_api import EraseRequest  # noqa: PLC0415  # --help needs no database
    from otel_feedback.dashboard.erase_client import erase_rows  # noqa: PLC0415  # as above

    erased = erase_rows(settings, EraseRequest((), (), arguments.dry_run))
    _print_receipt(_receipt(erased, None, [], dry_run=arguments.dry_run), arguments.format)
    return 0


def _erase(settings: Settings, arguments: argparse.Namespace) -> int:
    from otel_feedback.dashboard.erase_api import EraseRequest  # noqa: PLC0415  # as above
    from otel_feedback.dashboard.erase_client import erase_rows  # noqa: PLC0415  # as above
    from otel_feedback.sdk.pseudonyms import pseudonym  # noqa: PLC0415  # as above
    from otel_feedback.service import rejected_people  # noqa: PLC0415  # as above

    given = tuple(dict.fromkeys(arguments.user))
    if not all(given):
        raise UsageError("--user needs an id")
    users = (*given, *map(pseudonym, given)) if settings.pseudonym_key else given
    if not arguments.yes and not arguments.dry_run and not sys.stdin.isatty():
        raise UsageError("this removes data for good; confirm it with --yes, or see what would go with --dry-run")
    _wait_for_the_queue(settings, dry_run=arguments.dry_run)
    ids = tuple(sorted(rejected_people.traces_and_sessions(settings.data_dir)))
    erased = erase_rows(settings, EraseRequest(users, ids, dry_run=True))
    found = rejected_people.remove_person(settings.data_dir, users, erased.theirs, dry_run=True)
    if not arguments.dry_run:
        if not arguments.yes and not _is_confirmed(erased, found):
            print("Nothing was removed.")
            return 1
        # What finds their refused records goes last.
        found = rejected_people.remove_person(settings.data_dir, users, erased.theirs, dry_run=False)
        erased = erase_rows(settings, EraseRequest(users, (), dry_run=False))
    _print_receipt(_receipt(erased, found, list(given), dry_run=arguments.dry_run), arguments.format)
    return 1 if found.unreadable else 0


def _wait_for_the_queue(settings: Settings, *, dry_run: bool) -> None:
    from otel_feedback.service.waiting import wait_until_written  # noqa: PLC0415  # as above

    left = wait_until_written(settings.data_dir, 0.0 if dry_run else _patience(settings))
    if left and not dry_run:
        raise DataDirectoryError(
            f"{left} file(s) in {settings.data_dir / 'queue'} wait for the database, and may hold this person. Nothing "
            "was removed. Start the service (otel-feedback serve) or see why they wait (otel-feedback doctor), then "
            "run this again"
        )


def _patience(settings: Settings) -> float:
    from otel_feedback.running_service import has_service  # noqa: PLC0415  # as above

    return QUEUE_PATIENCE_SECONDS if has_service(settings.data_dir) else 0.0


def _is_confirmed(erased: Erased, found: Found) -> bool:
    rows = sum(each.removed + each.blanked for each in erased.tables)
    question = f"Remove {rows} row(s) and {found.records} record(s) in rejected/ for good? [y/N] "
    return input(question).strip().lower() == "y"


def _receipt(erased: Erased, found: Found | None, users: list[str], *, dry_run: bool) -> dict[str, Any]:
    """What was removed. The person is told by a digest: who keeps the receipt can check an id, and reads none."""
    receipt: dict[str, Any] = {
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "what": "user" if users else "expired",
        "dry_run": dry_run,
        "users": [f"sha256:{hashlib.sha256(each.encode()).hexdigest()}" for each in users],
        "tables": [asdict(each) for each in sorted(erased.tables, key=lambda each: each.table)],
        "total": sum(each.removed + each.blanked for each in erased.tables) + (found.records if found else 0),
    }
    if found is not None:
        receipt |= {"rejected": asdict(found), "old_parts_on_disk": erased.old_parts}
    return receipt


def _print_receipt(receipt: dict[str, Any], format_name: str) -> None:
    if format_name == "json":
        print(json.dumps(receipt, indent=2))
        return
    what = "what has expired" if receipt["what"] == "expired" else "a person"
    print(f"{receipt['time']}  {'would remove' if receipt['dry_run'] else 'removed'} {what}")
    for user in receipt["users"]:
        print(f"  {user}")
    print(f"{'table':<24} {'removed':>9} {'blanked':>9}")
    for each in receipt["tables"]:
        print(f"{each['table']:<24} {each['removed']:>9} {each['blanked']:>9}")
    rejected = receipt.get("rejected")
    if rejected is not None:
        print(f"{'rejected/':<24} {rejected['records']:>9} {0:>9}")
    print(f"{'total':<24} {receipt['total']:>19}")
    for name in rejected["unreadable"] if rejected else ():
        print(f"rejected/{name} is damaged and shows this person. Look at it, then: otel-feedback doctor rejected drop")
    if rejected is not None and not receipt["dry_run"]:
        left = receipt["old_parts_on_disk"]
        print(
            f"{left} file(s) with it are on the database's disk still; ClickHouse removes them within 8 minutes"
            if left
            else "It has left the database's disk, too."
        )
