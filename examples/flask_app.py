"""A chat on Flask. Start it with `opentelemetry-instrument python flask_app.py`."""

import os
from pathlib import Path

from flask import Flask, Response, request, send_file
from openai import OpenAI

import otel_feedback

app = Flask(__name__)
model = OpenAI()


@app.get("/")
def page() -> Response:
    """The chat."""
    return send_file(Path(__file__).with_name("chat.html"))


@app.post("/chat")
def chat() -> dict[str, str]:
    """Answer a question. The session is what joins the turns of a conversation; here each visitor has one."""
    with otel_feedback.session("flask-chat", user="visitor"):
        completion = model.chat.completions.create(
            model=os.environ.get("MODEL", "shop-assistant-small"),
            messages=[{"role": "user", "content": request.get_json()["question"]}],
        )
    return {"answer": completion.choices[0].message.content or ""}


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "8000")))
