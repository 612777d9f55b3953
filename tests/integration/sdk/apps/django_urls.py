import chat
from django.http import JsonResponse, StreamingHttpResponse
from django.urls import path


def answer(_request):
    return JsonResponse(chat.answer())


async def thread(_request):
    return JsonResponse(chat.thread())


def stream(request):
    chunks = chat.async_stream() if hasattr(request, "scope") else chat.stream()
    return StreamingHttpResponse(chunks, content_type="text/plain")


async def page(_request):
    return JsonResponse({})


def failing(_request):
    chat.fail()


views = (answer, stream, thread, page, failing)
urlpatterns = [path(view.__name__, view) for view in views]
