"""How often one rater, and one address, may ask ``/v1/feedback``: two buckets of tokens that refill steadily.

Memory is bounded: what was not seen for longest is forgotten first, and whoever is forgotten starts with a full bucket.
Each process counts for itself.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from otel_feedback.errors import RejectedRequestError
from otel_feedback.fork_safe_lock import ForkSafeLock

MOST_KEYS: Final = 10_000
READS_PER_VOTE: Final = 10
"""A page asks once for each answer it shows; a person votes on a few of them."""


_WHOLE: Final = 1 - 1e-9
"""What refills in parts adds up to a little less than 1; whoever waited as long as was said is taken all the same."""


class TooManyRequestsError(RejectedRequestError):
    """429; ``retry_after_seconds`` is when the next request is taken."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(429, "too_many_requests", f"too many requests; try again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class RateLimit:
    """At most ``per_minute`` at once and in each minute, for every key. 0 is no limit. Thread-safe."""

    def __init__(
        self, per_minute: int, *, most_keys: int = MOST_KEYS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_minute = per_minute
        self._most_keys = most_keys
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = ForkSafeLock()

    def __len__(self) -> int:
        return len(self._buckets)

    def count(self, key: str) -> None:
        """Count one request; about a microsecond.

        Raises:
            TooManyRequestsError: there were too many. This one does not count.
        """
        if not self._per_minute:
            return
        with self._lock:
            now = self._clock()
            left = self._left(key, now)
            is_taken = left >= _WHOLE
            self._buckets[key] = (max(0.0, left - 1) if is_taken else left, now)
            self._buckets.move_to_end(key)
            if len(self._buckets) > self._most_keys:
                self._buckets.popitem(last=False)
        if not is_taken:
            raise self._too_many(left)

    def check(self, key: str) -> None:
        """Return if ``count`` would; counts nothing. For where only what fails is to be counted.

        Raises:
            TooManyRequestsError: it would refuse.
        """
        with self._lock:
            left = self._left(key, self._clock())
        if self._per_minute and left < _WHOLE:
            raise self._too_many(left)

    def _left(self, key: str, now: float) -> float:
        left, seen = self._buckets.get(key, (float(self._per_minute), now))
        return min(float(self._per_minute), left + (now - seen) * self._per_minute / 60)

    def _too_many(self, left: float) -> TooManyRequestsError:
        return TooManyRequestsError(max(1, math.ceil((1 - left) * 60 / self._per_minute)))


class RequestLimits:
    """The limits of one endpoint: votes and reads of each rater, and all requests of each address."""

    def __init__(self, votes_per_minute: int = 0, requests_per_minute: int = 0) -> None:
        self._votes = RateLimit(votes_per_minute)
        self._reads = RateLimit(votes_per_minute * READS_PER_VOTE)
        self._addresses = RateLimit(requests_per_minute)

    def count_address(self, address: str) -> None:
        """Count a request before anything of it is looked at; an address that is not known ("") has no limit.

        Raises:
            TooManyRequestsError: there were too many from this address.
        """
        if address:
            self._addresses.count(network_of(address))

    def count_rater(self, rater: str, *, is_read: bool) -> None:
        """Count a request of a rater whose token is good.

        Raises:
            TooManyRequestsError: there were too many from this rater.
        """
        (self._reads if is_read else self._votes).count(rater)


def network_of(address: str) -> str:
    """An IPv6 client may have 2**64 addresses, so the network that it was given counts as one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address  # a name, as of a Unix socket
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((int(parsed), 64), strict=False))
