"""A token bucket: at most so many requests in any minute, shared by all threads of a download."""

import threading
from collections.abc import Callable


class TokenBucket:
    """Hands out the right to send one request.

    In any 60 seconds at most `per_minute` requests are let through: a tenth of them may go at
    once after a rest, the others are spaced.

    Args:
        per_minute: most requests in any minute, at least 1.
        clock: seconds of a clock that never goes back.
        sleep: waits so many seconds.
    """

    def __init__(
        self, per_minute: int, clock: Callable[[], float], sleep: Callable[[float], object]
    ) -> None:
        self._most = max(1, per_minute // 10)
        # floor(most + refill x minutes) <= per_minute over every span shorter than a minute
        self._per_second = (per_minute + 1 - self._most) / 60
        self._tokens = float(self._most)
        self._clock, self._sleep = clock, sleep
        self._at = clock()
        self._resume = self._at
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait until one more request may be sent."""
        with self._lock:
            now = self._clock()
            grown = self._tokens + (now - self._at) * self._per_second
            self._at, self._tokens = now, min(float(self._most), grown) - 1
            ready = now + max(0.0, -self._tokens / self._per_second)
        while (left := max(ready, self._resume) - self._clock()) > 0:
            self._sleep(left)

    def pause(self, seconds: float) -> None:
        """Let nothing through for so long: the server asked to be left alone."""
        with self._lock:
            self._resume = max(self._resume, self._clock() + seconds)
