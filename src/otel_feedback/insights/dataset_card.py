"""The README.md of an export, from which Hugging Face's ``datasets`` learns the parts and their columns.

Without it ``datasets`` takes the columns of the first rows for those of all, and fails at the first tool call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml

from otel_feedback.insights.export_rows import Format

NAME: Final = "README.md"
_TEXT: Final = "string"
_FUNCTION: Final = {"name": _TEXT, "arguments": _TEXT}
_CALLS: Final = [{"id": _TEXT, "type": _TEXT, "function": _FUNCTION}]
_MESSAGES: Final = [{"role": _TEXT, "content": _TEXT, "tool_calls": _CALLS, "tool_call_id": _TEXT}]
_COLUMNS: Final[dict[Format, dict[str, Any]]] = {
    "sft": {"messages": _MESSAGES},
    "openai": {"messages": _MESSAGES},
    "kto": {"prompt": _MESSAGES, "completion": _MESSAGES, "label": "bool"},
    "dpo": {"prompt": _MESSAGES, "chosen": _MESSAGES, "rejected": _MESSAGES},
}


def dataset_card(chosen: Format, files: Mapping[str, int], consent: str = "") -> str:
    """The card of an export: a head in YAML, and a few words.

    ``files`` has the rows of each file of rows, ``consent`` the attribute by which people agreed, or "".
    """
    parts = [{"split": name.rpartition("/")[2].partition(".")[0], "path": name} for name, rows in files.items() if rows]
    head: dict[str, Any] = {"configs": [{"config_name": "default", "data_files": parts}]}
    if chosen in _COLUMNS:
        head["dataset_info"] = {"features": _features(_COLUMNS[chosen])}
    words = (
        f"Rated LLM calls as {chosen}, by `otel-feedback export`. `manifest.json` tells how they were made,\n"
        "`provenance/` line by line where each is from. Before each use: `otel-feedback export verify .`\n"
    )
    if consent:
        words += f"Only calls of people who agreed: those with the attribute `{consent}`.\n"
    return f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n\n{words}"


def _features(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, **_feature(kind)} for name, kind in columns.items()]


def _feature(kind: Any) -> dict[str, Any]:
    match kind:
        case str():
            return {"dtype": kind}
        case [dict() as inner]:
            return {"list": _features(inner)}
    return {"struct": _features(kind)}
