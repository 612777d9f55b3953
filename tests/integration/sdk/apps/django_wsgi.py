import chat
from django.core.wsgi import get_wsgi_application

from otel_feedback.sdk.wsgi import FeedbackMiddleware

application = get_wsgi_application()

if __name__ == "__main__":
    chat.serve_wsgi(chat.covered(application, FeedbackMiddleware))
