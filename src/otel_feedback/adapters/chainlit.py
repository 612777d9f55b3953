"""A part of a Chainlit data layer: what it stores as feedback is recorded as a rating, too."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from otel_feedback.sdk.quiet import logger
from otel_feedback.sdk.recorder import record, retract
from otel_feedback.sdk.refusals import refusals_reported

TOKEN: Final = "otel_feedback_token"  # noqa: S105  # a key, no secret
_MOST_REMEMBERED: Final = 10_000


def rateable(token: str) -> dict[str, str]:
    """The ``metadata`` of a ``cl.Message`` that can be rated with this token."""
    return {TOKEN: token} if token else {}


class RecordsFeedback:
    """Stands before a data layer: ``class DataLayer(RecordsFeedback, SQLAlchemyDataLayer): pass``.

    A thumb becomes a rating named ``thumbs``, with its comment; taking it back retracts it. The token is in the
    message's metadata (see ``rateable``): of this process's messages it is remembered, of older ones the thread is
    asked. Chainlit names only the feedback when it is taken back, so that is recorded by the process that took it.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._otel_feedback_tokens: OrderedDict[str, str] = OrderedDict()

    async def create_step(self, step_dict: Any) -> Any:
        """As the data layer does; remembers the message's token."""
        self._remember_step(step_dict)
        return await super().create_step(step_dict)  # type: ignore[misc]  # of the data layer behind this one

    async def update_step(self, step_dict: Any) -> Any:
        """As the data layer does; remembers the message's token."""
        self._remember_step(step_dict)
        return await super().update_step(step_dict)  # type: ignore[misc]  # as above

    async def upsert_feedback(self, feedback: Any) -> str:
        """As the data layer does; then records the rating."""
        identity: str = await super().upsert_feedback(feedback)  # type: ignore[misc]  # as above
        token = self._otel_feedback_tokens.get(feedback.forId) or await self._token_in_thread(feedback)
        if token:
            self._remember(identity, token)
            with refusals_reported("Chainlit"):  # whose data layer has stored it all the same
                record("thumbs", bool(feedback.value), target=token, comment=feedback.comment or "")
        return identity

    async def delete_feedback(self, feedback_id: str) -> bool:
        """As the data layer does; then retracts the rating."""
        is_deleted: bool = await super().delete_feedback(feedback_id)  # type: ignore[misc]  # as above
        token = self._otel_feedback_tokens.pop(feedback_id, "")
        if token:
            with refusals_reported("Chainlit"):
                retract("thumbs", target=token)
        else:
            logger.warning("feedback %s of another process was taken back, and its rating was not", feedback_id)
        return is_deleted

    async def _token_in_thread(self, feedback: Any) -> str:
        thread = await self.get_thread(feedback.threadId) if feedback.threadId else None  # type: ignore[attr-defined]
        steps = thread["steps"] if thread else []
        named = [step for step in reversed(steps) if feedback.forId in {step["id"], step.get("parentId")}]
        return next((token for step in named if (token := _token_of(step))), "")

    def _remember_step(self, step: Any) -> None:
        """Chainlit's page names the message, or the run around it, whose last message then is the answer."""
        if token := _token_of(step):
            for identity in (step["id"], step.get("parentId")):
                if identity:
                    self._remember(identity, token)

    def _remember(self, identity: str, token: str) -> None:
        self._otel_feedback_tokens[identity] = token
        if len(self._otel_feedback_tokens) > _MOST_REMEMBERED:
            self._otel_feedback_tokens.popitem(last=False)


def _token_of(step: Any) -> str:
    token = (step.get("metadata") or {}).get(TOKEN)
    return token if isinstance(token, str) else ""
