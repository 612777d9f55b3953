import chat
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from otel_feedback.sdk.asgi import FeedbackMiddleware

app = FastAPI()
app.get("/answer")(chat.answer)
app.get("/thread")(chat.thread)
app.get("/failing")(chat.fail)


@app.get("/stream")
def stream() -> StreamingResponse:
    return StreamingResponse(chat.async_stream(), media_type="text/plain")


@app.get("/page")
async def page() -> dict[str, str]:
    return {}


if __name__ == "__main__":
    chat.serve_asgi(chat.covered(app, FeedbackMiddleware))
