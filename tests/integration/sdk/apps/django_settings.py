SECRET_KEY = "only for tests"
ROOT_URLCONF = "django_urls"
ALLOWED_HOSTS = ["127.0.0.1"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
LOGGING_CONFIG = None
