"""A chat on Django: settings, views and addresses in one file. examples/README.md says how to start it."""

import json
import os
from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from openai import OpenAI

import otel_feedback

SECRET_KEY = os.environ.get("SECRET_KEY", "only for this example")
ROOT_URLCONF = "django_app"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]

model = OpenAI()


def page(_request: HttpRequest) -> HttpResponse:
    """The chat."""
    return HttpResponse(Path(__file__).with_name("chat.html").read_bytes())


def chat(request: HttpRequest) -> JsonResponse:
    """Answer a question. The session is what joins the turns of a conversation; here each visitor has one."""
    with otel_feedback.session("django-chat", user="visitor"):
        completion = model.chat.completions.create(
            model=os.environ.get("MODEL", "shop-assistant-small"),
            messages=[{"role": "user", "content": json.loads(request.body)["question"]}],
        )
    return JsonResponse({"answer": completion.choices[0].message.content or ""})


urlpatterns = [path("", page), path("chat", chat)]
