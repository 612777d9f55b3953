"""A Chainlit data layer that keeps everything in memory."""

import uuid

from chainlit.data.base import BaseDataLayer
from chainlit.types import PageInfo, PaginatedResponse


class MyDataLayer(BaseDataLayer):
    def __init__(self):
        self.steps = {}
        self.feedback = {}

    async def get_user(self, identifier):
        return None

    async def create_user(self, user):
        return None

    async def upsert_feedback(self, feedback):
        identity = feedback.id or str(uuid.uuid4())
        self.feedback[identity] = feedback
        return identity

    async def delete_feedback(self, feedback_id):
        return self.feedback.pop(feedback_id, None) is not None

    async def create_element(self, element):
        pass

    async def get_element(self, thread_id, element_id):
        return None

    async def delete_element(self, element_id, thread_id=None):
        pass

    async def create_step(self, step_dict):
        self.steps[step_dict["id"]] = step_dict

    async def update_step(self, step_dict):
        self.steps[step_dict["id"]] = step_dict

    async def delete_step(self, step_id):
        self.steps.pop(step_id, None)

    async def get_thread_author(self, thread_id):
        return ""

    async def delete_thread(self, thread_id):
        pass

    async def list_threads(self, pagination, filters):
        return PaginatedResponse(pageInfo=PageInfo(hasNextPage=False, startCursor=None, endCursor=None), data=[])

    async def get_thread(self, thread_id):
        steps = [step for step in self.steps.values() if step["threadId"] == thread_id]
        return {"id": thread_id, "steps": steps}

    async def update_thread(self, thread_id, name=None, user_id=None, metadata=None, tags=None):
        pass

    async def build_debug_url(self):
        return ""

    async def close(self):
        pass

    async def get_favorite_steps(self, user_id):
        return []
