"""Fills the templates. Every value is escaped; what strangers wrote goes through ``visible`` as well."""

from __future__ import annotations

from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from otel_feedback.dashboard import figures, links, shown_text
from otel_feedback.dashboard.access import Access
from otel_feedback.dashboard.filters import RANGE_WORDS

SECTIONS: Final = (
    ("Overview", "/"),
    ("Feedback", "/feedback"),
    ("Users", "/users"),
    ("Sessions", "/sessions"),
    ("Insights", "/insights"),
)


class Renderer:
    """The templates, compiled once."""

    def __init__(self, access: Access) -> None:
        self._access = access
        # Escaping never depends on a file's name, and a misspelt value is an error, not an empty place.
        self._environment = Environment(
            loader=PackageLoader("otel_feedback.dashboard"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            visible=shown_text.visible,
            plain=shown_text.plain,
            excerpt=shown_text.excerpt,
            moment=figures.moment,
            duration=figures.duration,
            count=figures.count,
            percent=figures.percent,
            score=figures.score,
            points=figures.points,
            size=figures.size,
            session_link=links.session_link,
            user_link=links.user_link,
            trace_link=links.trace_link,
            answer_link=links.answer_link,
            reading_link=links.reading_link,
        )
        self._environment.globals.update(
            sections=SECTIONS,
            range_words=RANGE_WORDS,
            can_sign_out=access.needs_login,
            excerpt_characters=shown_text.EXCERPT_CHARACTERS,
            with_query=links.with_query,
            span_link=links.span_link,
            log_link=links.log_link,
            messages_link=links.messages_link,
            text_link=links.text_link,
        )

    def page(self, request: Request, template: str, *, status_code: int = 200, **values: Any) -> HTMLResponse:
        """The page as a response. A lone surrogate from the database becomes a question mark, never an error."""
        html = self._environment.get_template(template).render(
            path=request.scope["path"], form_token=self._access.form_token(request), **values
        )
        return HTMLResponse(html.encode("utf-8", "replace"), status_code=status_code)

    def fragment(self, template: str, **values: Any) -> str:
        """A piece of a page, for a script to put into one: text that can be encoded as UTF-8."""
        html = self._environment.get_template(template).render(**values)
        return html.encode("utf-8", "replace").decode()
