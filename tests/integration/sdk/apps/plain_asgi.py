"""No framework, as ASGI knows it."""

import json

import chat

from otel_feedback.sdk.asgi import FeedbackMiddleware


async def app(scope, _receive, send):
    async def respond(status, headers, *bodies):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for body in bodies:
            await send({"type": "http.response.body", "body": body})

    path = scope["path"]
    if path not in chat.PATHS:
        await respond(404, [(b"content-length", b"0")], b"")
    elif path == "/failing":
        chat.fail()
    elif path == "/stream":
        chunks = chat.async_stream()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        said = {"/answer": chat.answer, "/thread": chat.thread, "/page": dict}[path]()
        body = json.dumps(said).encode()
        await respond(200, [(b"content-length", str(len(body)).encode())], body)


if __name__ == "__main__":
    chat.serve_asgi(chat.covered(app, FeedbackMiddleware))
