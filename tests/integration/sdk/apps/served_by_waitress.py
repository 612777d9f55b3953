"""``waitress-serve MODULE:APP``, at a port that is told."""

import importlib
import sys

import chat
import waitress

if __name__ == "__main__":
    module, name = sys.argv[1].split(":")
    server = waitress.create_server(getattr(importlib.import_module(module), name), host="127.0.0.1", port=0)
    chat.announce(server.effective_port)
    server.run()
