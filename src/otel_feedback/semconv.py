"""Names on the wire: attribute keys, event names and span names of one rating in OTLP.

Keys starting with ``gen_ai.``, ``session.`` and ``enduser.`` are OpenTelemetry's (semantic conventions for
generative AI, section "Evaluation event"); what the conventions lack is ours, under ``otel_feedback.``.
"""

from __future__ import annotations

from typing import Final

EVALUATION_EVENT: Final = "gen_ai.evaluation.result"
EVALUATION_NAME: Final = "gen_ai.evaluation.name"
EVALUATION_SCORE_VALUE: Final = "gen_ai.evaluation.score.value"
EVALUATION_SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"

OPERATION_NAME: Final = "gen_ai.operation.name"
RESPONSE_ID: Final = "gen_ai.response.id"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
SESSION_ID: Final = "session.id"
ENDUSER_PSEUDO_ID: Final = "enduser.pseudo.id"

FEEDBACK_ID: Final = "otel_feedback.id"
FEEDBACK_ACTION: Final = "otel_feedback.action"
FEEDBACK_SOURCE: Final = "otel_feedback.source"
FEEDBACK_SCOPE: Final = "otel_feedback.scope"
FEEDBACK_SCORE_MIN: Final = "otel_feedback.score.min"
FEEDBACK_SCORE_MAX: Final = "otel_feedback.score.max"
FEEDBACK_REASONS: Final = "otel_feedback.reasons"
FEEDBACK_CORRECTION: Final = "otel_feedback.correction"
FEEDBACK_VIA: Final = "otel_feedback.via"
"""How the rating entered, when that is not told by its carrier: ``http`` for the service's own endpoint."""

CARRIER_SPAN_PREFIX: Final = "user_feedback "
"""A carrier span is named ``user_feedback {rating name}``; it is never a target itself."""

LLM_OPERATIONS: Final = frozenset({"chat", "text_completion", "generate_content"})
"""Values of ``gen_ai.operation.name`` that make a span an LLM call."""

USER_KEYS: Final = ("user.id", "enduser.pseudo.id", "enduser.id", "traceloop.association.properties.user_id")
"""Attributes that name a person, by whichever instrumentation; ``sql/fragments/user_keys.sql`` says the same."""
SESSION_KEYS: Final = (
    "session.id",
    "gen_ai.conversation.id",
    "traceloop.association.properties.session_id",
    "traceloop.association.properties.conversation_id",
    "traceloop.association.properties.chat_id",
)
"""Attributes that name a session; ``sql/fragments/session_keys.sql`` says the same."""
