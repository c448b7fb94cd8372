"""The file that stands for Cloud Map: who runs where, replaced atomically."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path

from quorumshift.rehearsal.aws.task_record import TaskRecord


class Instances:
    """``{"instances": [{"address", "sequence", "task"}]}``: the tasks whose process runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._written = ""

    def write(self, tasks: Iterable[TaskRecord]) -> None:
        """Write the file if it would change. ``tasks`` is read under the lock, so that the last
        writer has seen the latest."""
        with self._lock:
            text = json.dumps(
                {
                    "instances": [
                        {"address": task.address, "sequence": task.sequence, "task": task.arn}
                        for task in tasks
                        if task.pid is not None
                    ]
                },
                indent=1,
            )
            if text == self._written:
                return
            draft = self.path.with_suffix(".new")
            draft.write_text(text)
            os.replace(draft, self.path)
            self._written = text
