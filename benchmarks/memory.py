"""How much memory a process and all its children use at most."""

from __future__ import annotations

import threading
from pathlib import Path


def tree(pid: int) -> list[int]:
    """``pid`` and all its descendants that live now."""
    pids = [pid]
    for known in pids:
        for children in Path(f"/proc/{known}/task").glob("*/children"):
            try:
                pids += [int(child) for child in children.read_text().split()]
            except OSError:
                continue  # it ended while we looked
    return pids


def proportional_bytes(pid: int) -> int:
    """Proportional set size: pages that several processes share are counted once, in shares."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0  # it ended while we looked
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line[:4] == "Pss:")


class Peak:
    """Samples a process tree until :meth:`stop`; ``bytes`` is the largest sum seen."""

    def __init__(self, pid: int, every: float = 0.5) -> None:
        self.bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(pid, every), daemon=True)
        self._thread.start()

    def _run(self, pid: int, every: float) -> None:
        while not self._stop.wait(every):
            self.bytes = max(self.bytes, sum(proportional_bytes(one) for one in tree(pid)))

    def stop(self) -> int:
        """End the sampling and return the largest sum, in bytes."""
        self._stop.set()
        self._thread.join()
        return self.bytes
