"""Serves ClickHouse from its library: ``python -I clickhouse_library.py libchdb.so --config-file=...``.

A process of its own, run as a script: nothing here may import the rest of the tests.
"""

from __future__ import annotations

import ctypes
import sys

# The library is clickhouse-local, which listens when a query says so and ends with its last query: the last one
# sleeps for years. TCP comes first, so that both ports are open once HTTP answers.
_QUERIES = """
SYSTEM START LISTEN TCP;
SYSTEM START LISTEN HTTP;
SELECT sleepEachRow(3) FROM numbers(100000000) FORMAT Null
SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0
"""


def serve(library_path: str, *arguments: str) -> str:
    """Serve until the process is killed; returns only what went wrong."""
    library = ctypes.CDLL(library_path)
    library.chdb_query_cmdline.restype = ctypes.c_void_p
    library.chdb_result_error.restype = ctypes.c_char_p
    library.chdb_result_error.argtypes = [ctypes.c_void_p]
    words = [b"clickhouse", *map(str.encode, arguments), b"--multiquery", b"--query", _QUERIES.encode()]
    result = library.chdb_query_cmdline(len(words), (ctypes.c_char_p * len(words))(*words))
    error: bytes | None = library.chdb_result_error(result)
    return (error or b"ClickHouse ended without an error").decode(errors="replace")


if __name__ == "__main__":
    sys.exit(serve(*sys.argv[1:]))
