import chat
from flask import Flask, Response

from otel_feedback.sdk.wsgi import FeedbackMiddleware

app = Flask(__name__)
app.get("/answer")(chat.answer)
app.get("/thread")(chat.thread)
app.get("/failing")(chat.fail)


@app.get("/stream")
def stream():
    return Response(chat.stream(), mimetype="text/plain")


@app.get("/page")
async def page():
    return {}


if __name__ == "__main__":
    app.wsgi_app = chat.covered(app.wsgi_app, FeedbackMiddleware)
    chat.serve_wsgi(app)
