"""``otel-feedback doctor``: looks at everything that keeps ratings from coming in, and changes nothing."""
