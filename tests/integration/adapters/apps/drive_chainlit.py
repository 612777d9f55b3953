"""A thumb for a message of a process that has ended: the token comes from the thread."""

import asyncio

import my_model
from chainlit.types import Feedback
from my_data_layer import MyDataLayer

import otel_feedback
from otel_feedback.adapters.chainlit import RecordsFeedback, rateable


class DataLayer(RecordsFeedback, MyDataLayer):
    pass


async def main():
    with otel_feedback.session("thread-1", user="u-7"):
        my_model.ask_model("first")
        token = otel_feedback.feedback_token()
    before, after = DataLayer(), DataLayer()
    await before.create_step({"id": "run-1", "threadId": "thread-1", "metadata": {}})
    await before.create_step(
        {"id": "message-1", "parentId": "run-1", "threadId": "thread-1", "metadata": rateable(token)}
    )
    after.steps = before.steps
    for named in ("run-1", "message-1", "unknown"):
        await after.upsert_feedback(Feedback(forId=named, value=1, threadId="thread-1"))
    await after.upsert_feedback(Feedback(forId="message-1", value=0, threadId=None, id="feedback-2"))


asyncio.run(main())
