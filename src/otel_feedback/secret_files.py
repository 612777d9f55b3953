"""Secrets that stand in files: ``OTEL_FEEDBACK_X_FILE`` names one that holds what ``OTEL_FEEDBACK_X`` would.

Environments are seen by every child of a process, and can't be changed while it runs; files have owners, and can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from otel_feedback.errors import ConfigurationError

SUFFIX: Final = "_file"


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file that a setting names, and the name of what names it, as a person wrote it."""

    named_by: str
    path: Path

    def read(self, *, is_list: bool) -> str:
        """What stands in it, without the end of its line; of a list each line is an item, or several with commas.

        Raises:
            ConfigurationError: it can't be read, or holds nothing, or more lines than one where there is no list.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigurationError(f"{self.named_by}={self.path} can't be read: {why}") from None
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if not lines:
            raise ConfigurationError(f"{self.named_by}={self.path} is empty; write the secret into it")
        if len(lines) > 1 and not is_list:
            raise ConfigurationError(f"{self.named_by}={self.path} must hold the secret alone, on one line")
        return ",".join(lines)


def secret_file(
    name: str, prefix: str, environment: Mapping[str, str], from_toml: Mapping[str, str]
) -> SecretFile | None:
    """The file that holds the setting of this name; None where none is named, or the environment has the setting.

    Raises:
        ConfigurationError: both the setting and its file are given in the same place.
    """
    variable = prefix + name.upper()
    for place, plain, file in (
        (environment, variable, variable + SUFFIX.upper()),
        (from_toml, name, name + SUFFIX),
    ):
        if place.get(plain) and place.get(file):
            raise ConfigurationError(f"{plain} and {file} are both set; set one of them")
        if place.get(plain):
            return None
        if place.get(file):
            return SecretFile(file, Path(place[file]).absolute())
    return None
