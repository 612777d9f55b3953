import chat

bind = "127.0.0.1:0"
loglevel = "warning"


def when_ready(server):
    chat.announce(server.LISTENERS[0].sock.getsockname()[1])
