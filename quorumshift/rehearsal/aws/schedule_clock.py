"""The clock that schedules are fired by."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class ScheduleClock:
    """Begins with the real time and goes ``speed`` times as fast. Safe to use from any thread."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._lock = threading.Lock()
        self._shown = datetime.now(UTC)
        self._since = time.monotonic()

    def now(self) -> datetime:
        """What it shows."""
        with self._lock:
            passed = time.monotonic() - self._since
            return self._shown + timedelta(seconds=passed * self._speed)

    def run_from(self, shown: datetime) -> None:
        """Set it."""
        with self._lock:
            self._shown, self._since = shown, time.monotonic()
