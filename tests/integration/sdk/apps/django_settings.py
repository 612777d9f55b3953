import os

SECRET_KEY = "only for tests"
ROOT_URLCONF = "django_urls"
ALLOWED_HOSTS = ["127.0.0.1"]
LOGGING_CONFIG = None
# Only CommonMiddleware sets Content-Length, by which a middleware around Django knows that an answer is complete.
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"] if os.environ.get("MODE") == "middleware" else []
