"""A listener for ``gr.Chatbot.like``."""

from __future__ import annotations

from typing import Any, Final

import gradio as gr

from otel_feedback.sdk.recorder import record, retract
from otel_feedback.sdk.refusals import refusals_reported

_TOKEN: Final = "id"  # noqa: S105  # the one free field of a message's metadata that Gradio hands back


def rateable(token: str) -> dict[str, str]:
    """The ``metadata`` of a chat message that can be rated with this token."""
    return {_TOKEN: token} if token else {}


def rate(messages: list[dict[str, Any]], data: gr.LikeData) -> None:
    """Record a like, a dislike or another of the chatbot's ``feedback_options``; undoing it takes the rating back.

    Listen with ``chatbot.like(rate, chatbot)``. All are ratings named ``thumbs``, since one takes another's place:
    likes as True and False, other options as their label. Messages without a token (see ``rateable``) are left alone.
    """
    index = data.index[0] if isinstance(data.index, tuple | list) else data.index
    token = (messages[index].get("metadata") or {}).get(_TOKEN)
    if not isinstance(token, str):
        return
    with refusals_reported("Gradio"):
        if data.liked == "":  # undone
            retract("thumbs", target=token)
        else:
            record("thumbs", data.liked, target=token)
