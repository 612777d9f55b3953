"""``/login`` and ``/logout``: the dashboard token, exchanged for a signed cookie that scripts can't read."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from otel_feedback.dashboard.access import COOKIE_LIFETIME_SECONDS, COOKIE_NAME, address_of, local_target
from otel_feedback.dashboard.forms import read_any_form, read_form
from otel_feedback.dashboard.site import Site
from otel_feedback.rate_limit import TooManyRequestsError


def routes(site: Site) -> list[Route]:
    """The form, its answer, and the way out."""

    async def show_form(request: Request) -> Response:
        target = local_target(request.query_params.get("next", "/"))
        if not site.access.needs_login or site.access.may_look(request):
            return RedirectResponse(target, status_code=303)
        return site.renderer.page(request, "login.html", target=target, failed="")

    async def sign_in(request: Request) -> Response:
        form = await read_any_form(request)
        target = local_target(form.get("next", "/"))
        token, address = form.get("token", "").strip(), address_of(request)
        try:
            site.access.check_guesses(address)
        except TooManyRequestsError as error:
            page = site.renderer.page(request, "login.html", status_code=429, target=target, failed="too many")
            page.headers["Retry-After"] = str(error.retry_after_seconds)
            return page
        if not site.access.is_dashboard_token(token):
            site.access.count_wrong_token(address)
            return site.renderer.page(request, "login.html", status_code=401, target=target, failed="wrong")
        response = RedirectResponse(target, status_code=303)
        response.set_cookie(
            COOKIE_NAME,
            site.access.new_cookie(token),
            max_age=COOKIE_LIFETIME_SECONDS,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response

    async def sign_out(request: Request) -> Response:
        await read_form(request, site.access)
        site.access.sign_out(request.cookies.get(COOKIE_NAME, ""))
        response = RedirectResponse("/login", status_code=303)
        response.delete_cookie(COOKIE_NAME, path="/", httponly=True, samesite="strict")
        return response

    return [
        Route("/login", show_form, methods=["GET"]),
        Route("/login", sign_in, methods=["POST"]),
        Route("/logout", sign_out, methods=["POST"]),
    ]
