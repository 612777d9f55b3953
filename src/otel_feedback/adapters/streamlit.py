"""``st.feedback`` that records: a click rates, another one changes the rating, clicking it again takes it back."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import streamlit as st

from otel_feedback.sdk.recorder import record, retract
from otel_feedback.sdk.refusals import refusals_reported

Options: TypeAlias = Literal["thumbs", "faces", "stars"]
_STEPS: Final = 5
"""Streamlit's faces and stars, which it counts from 0."""


def feedback(token: str, options: Options = "thumbs", *, name: str | None = None, key: str | None = None) -> int | None:
    """Show Streamlit's thumbs, faces or stars under the answer that a rating token names, and record each click once.

    Streamlit runs the script again for every click, so keep the token with its answer in ``st.session_state``: another
    token is another widget. With ``""`` for a token it can't be clicked.

    Args:
        token: from ``feedback_token()``.
        options: as of ``st.feedback``.
        name: the name of the rating; by default that of the options.
        key: Streamlit's key; needed where one answer has two of these under one name.

    Returns:
        What ``st.feedback`` returns.
    """
    rated_as = name or options
    widget = key or f"otel-feedback {rated_as} {token}"
    return st.feedback(  # type: ignore[no-any-return]  # Streamlit is not there when types are checked
        options, key=widget, disabled=not token, on_change=_record, args=(widget, token, rated_as, options)
    )


def _record(key: str, token: str, name: str, options: Options) -> None:
    chosen: int | None = st.session_state[key]
    with refusals_reported("Streamlit"):
        if chosen is None:
            retract(name, target=token)
        elif options == "thumbs":
            record(name, bool(chosen), target=token)
        else:
            record(name, chosen + 1, minimum=1, maximum=_STEPS, target=token)
