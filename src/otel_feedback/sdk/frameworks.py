"""Where ``instrument()`` puts its middleware in each web framework, and in servers for apps that have none."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any, Final

from otel_feedback.sdk.frame import current_request
from otel_feedback.sdk.own_middlewares import own_middlewares
from otel_feedback.sdk.patches import Patch

# gunicorn's own workers by what they take an app for; those of others are left as they are.
_WSGI_WORKERS: Final = ("sync", "gthread", "gevent", "eventlet")
_ASGI_WORKERS: Final = ("asgi",)
_middlewares: Final[weakref.WeakKeyDictionary[Any, Callable[..., Any]]] = weakref.WeakKeyDictionary()


def _around_asgi_app(original: Callable[..., Any]) -> Callable[..., Any]:
    """Around ``__call__``, which OpenTelemetry's instrumentations leave alone; so running apps are covered, too."""

    @functools.wraps(original)
    async def call_with_feedback(self: Any, scope: Any, receive: Any, send: Any) -> None:
        await _middleware_of(self, original, _asgi)(scope, receive, send)

    return call_with_feedback


def _around_wsgi_app(original: Callable[..., Any]) -> Callable[..., Any]:
    """As around an ASGI app."""

    @functools.wraps(original)
    def call_with_feedback(self: Any, environ: Any, start_response: Any) -> Any:
        return _middleware_of(self, original, _wsgi)(environ, start_response)

    return call_with_feedback


def _around_django_response(original: Callable[..., Any]) -> Callable[..., Any]:
    """Around ``BaseHandler.get_response``: Django has no Content-Length without its CommonMiddleware."""

    @functools.wraps(original)
    def get_response_with_feedback(self: Any, request: Any) -> Any:
        return _noted(original(self, request))

    return get_response_with_feedback


def _around_django_async_response(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def get_response_with_feedback(self: Any, request: Any) -> Any:
        return _noted(await original(self, request))

    return get_response_with_feedback


def _noted(response: Any) -> Any:
    request = current_request()
    if request is not None:
        request.has_whole_answer = not getattr(response, "streaming", True)
    return response


def _around_aiohttp_start(original: Callable[..., Any]) -> Callable[..., Any]:
    """Around ``Application.pre_freeze``, after which an app takes no more middlewares."""

    @functools.wraps(original)
    def pre_freeze_with_feedback(self: Any) -> None:
        if not self.pre_frozen and not own_middlewares:
            from otel_feedback.sdk.aiohttp_server import FeedbackMiddleware  # noqa: PLC0415  # imports aiohttp

            FeedbackMiddleware().add_to(self)
        original(self)

    return pre_freeze_with_feedback


def _around_uvicorn_startup(original: Callable[..., Any]) -> Callable[..., Any]:
    """Not around ``Config.load``: it runs already when the app's own module calls ``instrument()``."""

    @functools.wraps(original)
    async def startup_with_feedback(self: Any, *args: Any, **kwargs: Any) -> None:
        config = self.config
        if vars(config).get("_otel_feedback") is not config.loaded_app:
            config.loaded_app = config._otel_feedback = _asgi(config.loaded_app)  # noqa: SLF001  # a name of ours
        await original(self, *args, **kwargs)

    return startup_with_feedback


def _around_gunicorn_app(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def wsgi_with_feedback(self: Any) -> Any:
        app = original(self)
        worker = self.cfg.settings["worker_class"].get()
        if worker not in _WSGI_WORKERS + _ASGI_WORKERS:
            return app
        around = _wsgi if worker in _WSGI_WORKERS else _asgi
        known = vars(self).setdefault("_otel_feedback", (app, around(app)))
        return known[1] if known[0] is app else app

    return wsgi_with_feedback


def _around_werkzeug_server(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def init_with_feedback(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.app = _wsgi(self.app)

    return init_with_feedback


def _around_wsgiref_server(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def set_app_with_feedback(self: Any, application: Any) -> None:
        original(self, _wsgi(application))

    return set_app_with_feedback


FRAMEWORKS: Final = (
    Patch("starlette.applications", "Starlette", "__call__", _around_asgi_app),
    Patch("flask.app", "Flask", "__call__", _around_wsgi_app),
    Patch("django.core.handlers.wsgi", "WSGIHandler", "__call__", _around_wsgi_app),
    Patch("django.core.handlers.asgi", "ASGIHandler", "__call__", _around_asgi_app),
    Patch("aiohttp.web_app", "Application", "pre_freeze", _around_aiohttp_start),
)
ANSWERS: Final = (
    Patch("django.core.handlers.base", "BaseHandler", "get_response", _around_django_response),
    Patch("django.core.handlers.base", "BaseHandler", "get_response_async", _around_django_async_response),
)
SERVERS: Final = (
    Patch("uvicorn.server", "Server", "startup", _around_uvicorn_startup),
    Patch("gunicorn.app.base", "BaseApplication", "wsgi", _around_gunicorn_app),
    Patch("werkzeug.serving", "BaseWSGIServer", "__init__", _around_werkzeug_server),
    Patch("wsgiref.simple_server", "WSGIServer", "set_app", _around_wsgiref_server),
)


def forget_middlewares() -> None:
    """Let apps have new ones."""
    _middlewares.clear()


def _middleware_of(app: Any, original: Callable[..., Any], around: Callable[..., Any]) -> Callable[..., Any]:
    """The app with the middleware around; an app that brings its own (with its own settings) is left as it is."""
    known = _middlewares.get(app)
    if known is not None:
        return known
    reference = weakref.ref(app)

    def call_original(*args: Any) -> Any:
        # Weak, because the cached middleware would otherwise keep its app alive for ever.
        return original(reference(), *args)

    from otel_feedback.sdk.asgi import FeedbackMiddleware  # noqa: PLC0415  # `import otel_feedback` stays quick

    if any(getattr(each, "cls", None) is FeedbackMiddleware for each in getattr(app, "user_middleware", ())):
        return call_original
    return _middlewares.setdefault(app, around(call_original))


def _asgi(app: Callable[..., Any]) -> Callable[..., Any]:
    from otel_feedback.sdk.asgi import FeedbackMiddleware  # noqa: PLC0415  # as above

    middleware = FeedbackMiddleware(app)
    own_middlewares.discard(middleware)

    async def call(scope: Any, receive: Any, send: Any) -> None:  # servers look whether it is a coroutine function
        await (app if own_middlewares else middleware)(scope, receive, send)

    return call


def _wsgi(app: Callable[..., Any]) -> Callable[..., Any]:
    from otel_feedback.sdk.wsgi import FeedbackMiddleware  # noqa: PLC0415  # as above

    middleware = FeedbackMiddleware(app)
    own_middlewares.discard(middleware)

    def call(environ: Any, start_response: Any) -> Any:
        return (app if own_middlewares else middleware)(environ, start_response)

    return call
