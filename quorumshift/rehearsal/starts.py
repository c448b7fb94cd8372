"""Who starts the deployment that is rehearsed."""

from __future__ import annotations

from enum import StrEnum


class Start(StrEnum):
    """``COMMAND``: the rehearsal, as a person would. ``SCHEDULE``: the service's own schedule."""

    COMMAND = "command"
    SCHEDULE = "schedule"
