import chat
from django.core.asgi import get_asgi_application

from otel_feedback.sdk.asgi import FeedbackMiddleware

application = get_asgi_application()

if __name__ == "__main__":
    chat.serve_asgi(chat.covered(application, FeedbackMiddleware))
