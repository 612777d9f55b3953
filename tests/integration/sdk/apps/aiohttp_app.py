import chat
from aiohttp import web

from otel_feedback.sdk.aiohttp_server import FeedbackMiddleware


async def answer(_request):
    return web.json_response(chat.answer())


async def stream(_request):
    """A body that aiohttp asks for after the handler has returned."""
    return web.Response(body=chat.async_stream(), content_type="text/plain")


async def thread(_request):
    return web.json_response(chat.thread())


async def page(_request):
    return web.json_response({})


async def failing(_request):
    chat.fail()


def add(app):
    FeedbackMiddleware().add_to(app)
    return app


if __name__ == "__main__":
    app = web.Application()
    app.add_routes([web.get(f"/{handler.__name__}", handler) for handler in (answer, stream, thread, page, failing)])
    web.run_app(chat.covered(app, add), sock=chat.listen(), print=None)
