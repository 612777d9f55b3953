"""A chat on FastAPI. Start it with `opentelemetry-instrument python fastapi_app.py`."""

import os
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import FileResponse
from openai import AsyncOpenAI
from pydantic import BaseModel

import otel_feedback

app = FastAPI()
model = AsyncOpenAI()


class Asked(BaseModel):
    """What the page sends."""

    question: str


@app.get("/")
def page() -> FileResponse:
    """The chat."""
    return FileResponse(Path(__file__).with_name("chat.html"))


@app.post("/chat")
async def chat(asked: Asked) -> dict[str, str]:
    """Answer a question. The session is what joins the turns of a conversation; here each visitor has one."""
    with otel_feedback.session("fastapi-chat", user="visitor"):
        completion = await model.chat.completions.create(
            model=os.environ.get("MODEL", "shop-assistant-small"),
            messages=[{"role": "user", "content": asked.question}],
        )
    return {"answer": completion.choices[0].message.content or ""}


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")))
