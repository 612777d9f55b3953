"""``uvicorn MODULE:APP``, at a port that is told."""

import sys

import chat
import uvicorn

if __name__ == "__main__":
    uvicorn.Server(uvicorn.Config(sys.argv[1], log_level="warning")).run(sockets=[chat.listen()])
