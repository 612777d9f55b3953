"""Something to try: a small shop's chat app, a local model for it, and a made-up history. Nothing else needs it."""
