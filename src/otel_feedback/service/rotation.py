"""Secrets and certificates are replaced while the service runs: by looking at their files every other second.

Tokens and keys come from the files that OTEL_FEEDBACK_..._FILE name, or from the TOML file; certificates from theirs.
What can't be read, or could not be started with, is told, and what was in force stays. So it does where a file without
any secret would leave a door open. SIGHUP looks at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from otel_feedback.errors import ConfigurationError
from otel_feedback.settings import PREFIX, Settings, secret_sources, setting_name

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 2.0
REPLACEABLE: Final = ("ingest_tokens", "dashboard_token", "signing_keys")
_CERTIFICATES: Final = ("tls_cert", "tls_key", "tls_client_ca")
_Signature: TypeAlias = Mapping[Path, tuple[int, int, int, int] | None]


class User(Protocol):
    """Who uses secrets."""

    def prepare(self, settings: Settings) -> Callable[[], None]:
        """What puts the secrets of these settings in force, which nothing can keep from it any more.

        Raises:
            ConfigurationError: they could not be started with.
        """


class Rotation:
    """Hands what has changed to all of its users, or to none."""

    def __init__(
        self, settings: Settings, hide: Callable[[Settings], None], environment: Mapping[str, str] | None = None
    ) -> None:
        """To be made as soon as the settings were read: what changes from then on is seen.

        ``hide`` gets all that was read before anything else does, so that no log line shows it.
        """
        self._settings = settings
        self._users: tuple[User, ...] = ()
        self._hide = hide
        self._environment = dict(os.environ if environment is None else environment)
        self._in_force: _Signature = {}
        self._in_force = self._seen = self._signature()
        self._told_restart: frozenset[str] = frozenset()
        self._hurry = asyncio.Event()

    def hurry(self) -> None:
        """Look now, and read everything anew."""
        self._hurry.set()

    async def watch(self, *users: User) -> None:
        """Look for as long as the service runs."""
        self._users = users
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._hurry.wait()
            is_asked = self._hurry.is_set()
            self._hurry.clear()
            await self.look(is_asked=is_asked)

    async def look(self, *, is_asked: bool = False) -> None:
        """Put in force what has changed since the last look."""
        signature = await asyncio.to_thread(self._signature)
        if signature == self._seen and not is_asked:
            return
        self._seen = signature
        try:
            settings = await asyncio.to_thread(self._read)
            uses = [await asyncio.to_thread(user.prepare, settings) for user in self._users]
        except ConfigurationError as error:
            logger.error("secrets could not be replaced, the former stay in force: %s", error)  # noqa: TRY400  # one line
            return
        for use in uses:
            use()
        new_files = [name for name in _CERTIFICATES if self._is_new(getattr(settings, name), signature)]
        replaced = [_variable(name) for name in (*_differing(self._settings, settings), *new_files)]
        self._settings, self._in_force = settings, signature
        logger.info("secrets and certificates were read anew; replaced: %s", ", ".join(replaced) or "none")

    def _is_new(self, path: str, signature: _Signature) -> bool:
        return bool(path) and self._in_force.get(Path(path)) != signature.get(Path(path))

    def _read(self) -> Settings:
        """The settings in force with the secrets that there are now.

        Raises:
            ConfigurationError: a file can't be read, or leaves nothing of a secret that was set.
        """
        found = Settings.load(self._environment)
        self._hide(found)
        for name in REPLACEABLE:
            if getattr(self._settings, name) and not getattr(found, name):
                raise ConfigurationError(f"{_variable(name)} would be empty. To do without, restart the service")
        others = frozenset(set(_differing(self._settings, found)) - set(REPLACEABLE))
        if others - self._told_restart:
            logger.warning("changed, and read at a start only: %s", ", ".join(sorted(map(_variable, others))))
        self._told_restart = others
        return replace(self._settings, **{name: getattr(found, name) for name in REPLACEABLE})

    def _signature(self) -> _Signature:
        """What tells a file from its successor: a symbolic link that points elsewhere now is another file as well."""
        try:
            sources = secret_sources(self._settings, self._environment)
        except ConfigurationError:  # a TOML file that can't be read: its own signature differs from a readable one's
            sources = (*self._seen,)
        return {path: _file_signature(path) for path in sources}


def _file_signature(path: Path) -> tuple[int, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _differing(one: Settings, other: Settings) -> Iterator[str]:
    return (each.name for each in fields(Settings) if getattr(one, each.name) != getattr(other, each.name))


def _variable(name: str) -> str:
    return PREFIX + setting_name(name).upper()
