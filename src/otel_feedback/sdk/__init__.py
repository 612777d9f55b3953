"""In the app: sessions and users on every span, ratings as OpenTelemetry. Needs opentelemetry-api and pyjwt only."""
