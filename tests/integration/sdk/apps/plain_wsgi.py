"""No framework, as WSGI knows it."""

import json
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import chat

from otel_feedback.sdk.wsgi import FeedbackMiddleware


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path not in chat.PATHS:
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    if path == "/failing":
        chat.fail()
    if path == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return chat.stream()
    said = {"/answer": chat.answer, "/thread": chat.thread, "/page": dict}[path]()
    body = json.dumps(said).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        """Nothing, so that what our packages say is seen."""


if __name__ == "__main__":
    covered = chat.covered(app, FeedbackMiddleware)
    server = make_server("127.0.0.1", 0, covered, handler_class=Quiet)
    chat.announce(server.server_port)
    threading.Thread(target=server.serve_forever).start()
