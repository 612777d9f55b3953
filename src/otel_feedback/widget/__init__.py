"""`<llm-feedback>`: one JavaScript module without dependencies, and how the app and the service serve it."""
