"""Reads the forms of pages: bounded, and only what a page of ours sent.

In a template, inside ``<form method="post">``::

    <input type="hidden" name="form_token" value="{{ form_token }}">

Every page has ``form_token``; together with the check of a request's origin (``access``) it keeps other sites from
sending forms in the name of a reader.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from otel_feedback.dashboard.access import Access
from otel_feedback.dashboard.body import read_body

FORM_TOKEN: Final = "form_token"  # noqa: S105  # a field's name
MOST_FORM_BYTES: Final = 16 * 1024


async def read_form(request: Request, access: Access, most_bytes: int = MOST_FORM_BYTES) -> dict[str, str]:
    """The fields of a form that one of this reader's pages sent, the last where one comes twice.

    Raises:
        HTTPException: 403 where another site may have sent it, or its page is too old; 413 for a larger one.
    """
    fields = await read_any_form(request, most_bytes)
    if not access.accepts_form(request, fields.pop(FORM_TOKEN, "")):
        raise HTTPException(403, "This form is too old, or no page of this dashboard sent it. Load its page again.")
    return fields


async def read_any_form(request: Request, most_bytes: int = MOST_FORM_BYTES) -> dict[str, str]:
    """As ``read_form``, whoever sent it: for where there is nothing to protect yet, as before the login.

    Raises:
        HTTPException: 413 for a larger one.
    """
    body = (await read_body(request, most_bytes)).decode("utf-8", "replace")
    return dict(parse_qsl(body, keep_blank_values=True))
