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
        self._since: float | None = time.monotonic()

    @property
    def stands(self) -> bool:
        """Whether it stands still."""
        return self._since is None

    def now(self) -> datetime:
        """What it shows."""
        with self._lock:
            return self._now()

    def hold(self) -> None:
        """Let it stand still from now on."""
        with self._lock:
            self._shown, self._since = self._now(), None

    def run_from(self, shown: datetime) -> None:
        """Set it, and let it run."""
        with self._lock:
            self._shown, self._since = shown, time.monotonic()

    def _now(self) -> datetime:
        if self._since is None:
            return self._shown
        passed = time.monotonic() - self._since
        return self._shown + timedelta(seconds=passed * self._speed)
