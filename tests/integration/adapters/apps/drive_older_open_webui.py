"""A thumb up becomes the rating on standard input, by the real endpoints of Open WebUI, and is exported by them."""

import json
import sys
from pathlib import Path

import open_webui.config  # noqa: F401  # makes the database
from fastapi import FastAPI
from fastapi.testclient import TestClient
from open_webui.models.users import Users
from open_webui.routers import evaluations
from open_webui.utils.auth import create_token

user = Users.insert_new_user("user-1", "A person", "person@chat.example", role="admin")
app = FastAPI()
app.include_router(evaluations.router, prefix="/api/v1/evaluations")
client = TestClient(app, headers={"Authorization": f"Bearer {create_token({'id': user.id})}"})
rating = json.load(sys.stdin)
thumb_up = {**rating, "data": {"rating": 1, "model_id": rating["data"]["model_id"]}}
stored = client.post("/api/v1/evaluations/feedback", json=thumb_up).raise_for_status().json()
client.post(f"/api/v1/evaluations/feedback/{stored['id']}", json=rating).raise_for_status()
Path("export.json").write_text(client.get("/api/v1/evaluations/feedbacks/all/export").raise_for_status().text)
