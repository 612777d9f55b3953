"""An annotator's own rating of what they read: one for each answer and annotator, beside the ratings of its users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from otel_feedback.feedback_api import RatingStore
from otel_feedback.pseudonym import pseudonym_by
from otel_feedback.rating import MAX_IDENTIFIER_CHARACTERS, Action, Rating, Scope, Target, make_rating
from otel_feedback.settings import Settings

NAME: Final = "review"
"""What annotations are rated under. An id that is both a user's and an annotator's must not make one rating of two."""
SOURCE: Final = "annotator"
_VALUES: Final = {"positive": True, "negative": False, "": None}


@dataclass(frozen=True, slots=True)
class Annotations:
    """Where annotations go, and what of them may be stored."""

    store: RatingStore
    pseudonym_key: str
    captures_comments: bool

    @classmethod
    def by(cls, store: RatingStore, settings: Settings) -> Annotations:
        """As the settings say."""
        return cls(store, settings.pseudonym_key, settings.capture_comments)

    def rater_id(self, annotator: str) -> str:
        """What is stored for an annotator who gives this name.

        Raises:
            ValueError: it is empty or too long; the message says so.
        """
        name = annotator.strip()
        if not name:
            raise ValueError("Say who you are: your ratings are kept under that name.")
        if len(name) > MAX_IDENTIFIER_CHARACTERS:
            raise ValueError(f"Your name has {len(name)} characters; at most {MAX_IDENTIFIER_CHARACTERS} are taken.")
        return pseudonym_by(self.pseudonym_key, name)

    async def current(self, rating: Mapping[str, Any], annotator: str) -> Rating | None:
        """What the annotator said of what was rated, also where it was said a moment ago.

        Raises:
            RejectedRequestError: the database can't be asked.
        """
        target = target_of(rating)
        if target is None or not annotator.strip():
            return None
        given = await self.store.current(target, self.rater_id(annotator))
        return next((each for each in given if each.name == NAME), None)

    async def submit(self, rating: Mapping[str, Any], annotator: str, form: Mapping[str, str]) -> None:
        """Take what the annotator says of what was rated, or take it back; once this returns it is durable.

        Raises:
            ValueError: the form has nothing in it, or too much; the message says so.
            RejectedRequestError: it can't be taken now.
        """
        target = target_of(rating)
        if target is None:
            raise ValueError("What was rated here has no id in OpenTelemetry's form, so it can't be rated again.")
        retracts = form.get("action") == "retract"
        verdict = form.get("verdict", "")
        if verdict not in _VALUES:
            raise ValueError("The verdict is none that this page offers.")
        texts = self.captures_comments and not retracts
        reasons = [each.strip() for each in form.get("reasons", "").split(",") if each.strip()]
        comment = _text(form, "comment") if texts else ""
        correction = _text(form, "correction") if texts else ""
        if not retracts and not (verdict or comment or correction or reasons):
            raise ValueError("There is nothing in it yet: choose a verdict, or write a note.")
        given = make_rating(
            NAME,
            None if retracts else _VALUES[verdict],
            target,
            comment=comment,
            correction=correction,
            reasons=[] if retracts else reasons,
            rater_id=self.rater_id(annotator),
            source=SOURCE,
            action=Action.RETRACT if retracts else Action.SUBMIT,
        )
        await self.store.submit(given)


def target_of(rating: Mapping[str, Any]) -> Target | None:
    """What a stored rating rates, to rate it once more; None where its ids are none that OTLP can say."""
    try:
        return Target(
            Scope(rating["Scope"]), rating["TraceId"], rating["SpanId"], rating["SessionId"], rating["ResponseId"]
        )
    except ValueError:
        return None


def _text(form: Mapping[str, str], name: str) -> str:
    # Browsers send lines of a form as CR LF.
    return form.get(name, "").replace("\r\n", "\n").strip()
