"""How long one rating keeps the app waiting; what each client is asked."""

import json
import sys
import time

WARM_UP = 50
PAUSE_SECONDS = 0.002
"""Between two ratings, as between two clicks: what works in the background is not measured as a queue."""


def address_and_count():
    """Where the server that takes everything is, and how many ratings to give."""
    return sys.argv[1], int(sys.argv[2])


def nanoseconds_each(give, count):
    """Of ``count`` calls after a warm-up, the nanoseconds of each."""
    taken = []
    for number in range(WARM_UP + count):
        began = time.perf_counter_ns()
        give()
        if number >= WARM_UP:
            taken.append(time.perf_counter_ns() - began)
        time.sleep(PAUSE_SECONDS)
    return taken


def tell(version, ratings, spans=None):
    """Print it for the benchmark to read; ``spans`` is what a session costs one, by kind."""
    sys.stdout.write(json.dumps({"version": version, "ratings": ratings, "spans": spans or {}}) + "\n")
    sys.stdout.flush()
