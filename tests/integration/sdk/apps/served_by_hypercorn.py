"""``hypercorn MODULE:APP``, at a port that is told."""

import asyncio
import importlib
import sys

import chat
from hypercorn.asyncio import serve
from hypercorn.config import Config

if __name__ == "__main__":
    module, name = sys.argv[1].split(":")
    listener, config = chat.listen(), Config()
    config.bind = [f"fd://{listener.fileno()}"]
    asyncio.run(serve(getattr(importlib.import_module(module), name), config))
