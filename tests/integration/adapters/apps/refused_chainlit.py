"""Chainlit's thumbs for messages whose tokens are refused: its own data layer keeps them all the same."""

import asyncio
import os

from chainlit.types import Feedback
from my_data_layer import MyDataLayer

from otel_feedback.adapters.chainlit import RecordsFeedback, rateable


class DataLayer(RecordsFeedback, MyDataLayer):
    pass


async def main():
    layer = DataLayer()
    for number, token in enumerate(os.environ["TOKENS"].split()):
        message = f"message-{number}"
        await layer.create_step({"id": message, "threadId": "thread-1", "metadata": rateable(token)})
        for comment in ("", "x" * 20_000):
            given = Feedback(forId=message, value=1, threadId="thread-1", comment=comment)
            assert await layer.upsert_feedback(given)
        assert await layer.delete_feedback(await layer.upsert_feedback(given)) is not None


asyncio.run(main())
