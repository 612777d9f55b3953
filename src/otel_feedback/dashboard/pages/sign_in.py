"""``/login`` and ``/logout``: the dashboard token, exchanged for a signed cookie that scripts can't read."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from otel_feedback.dashboard.access import COOKIE_LIFETIME_SECONDS, COOKIE_NAME, local_target
from otel_feedback.dashboard.body import read_body
from otel_feedback.dashboard.site import Site

_MOST_FORM_BYTES = 16 * 1024


def routes(site: Site) -> list[Route]:
    """The form, its answer, and the way out."""

    async def show_form(request: Request) -> Response:
        target = local_target(request.query_params.get("next", "/"))
        if not site.access.needs_login or site.access.may_look(request):
            return RedirectResponse(target, status_code=303)
        return site.renderer.page(request, "login.html", target=target, failed=False)

    async def sign_in(request: Request) -> Response:
        form = parse_qs((await read_body(request, _MOST_FORM_BYTES)).decode("utf-8", "replace"))
        target = local_target(form.get("next", ["/"])[-1])
        if not site.access.is_dashboard_token(form.get("token", [""])[-1].strip()):
            return site.renderer.page(request, "login.html", status_code=401, target=target, failed=True)
        response = RedirectResponse(target, status_code=303)
        response.set_cookie(
            COOKIE_NAME,
            site.access.new_cookie(),
            max_age=COOKIE_LIFETIME_SECONDS,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response

    async def sign_out(_request: Request) -> Response:
        response = RedirectResponse("/login", status_code=303)
        response.delete_cookie(COOKIE_NAME, path="/", httponly=True, samesite="strict")
        return response

    return [
        Route("/login", show_form, methods=["GET"]),
        Route("/login", sign_in, methods=["POST"]),
        Route("/logout", sign_out, methods=["POST"]),
    ]
