import chat
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from otel_feedback.sdk.asgi import FeedbackMiddleware


async def answer(_request):
    return JSONResponse(chat.answer())


async def stream(_request):
    return StreamingResponse(chat.async_stream(), media_type="text/plain")


def thread(_request):
    return JSONResponse(chat.thread())


async def page(_request):
    return JSONResponse({})


async def failing(_request):
    chat.fail()


handlers = (answer, stream, thread, page, failing)

if __name__ == "__main__":
    app = Starlette(routes=[Route(f"/{handler.__name__}", handler) for handler in handlers])
    chat.serve_asgi(chat.covered(app, FeedbackMiddleware))
