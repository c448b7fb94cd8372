"""What all engines of one rehearsal share."""

from __future__ import annotations

import functools
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.config
import botocore.session

from quorumshift.rehearsal.block import Block
from quorumshift.rehearsal.processes import Spawner

REGION = "us-east-1"
ACCOUNT = "123456789012"
AWS_PORT = 4566
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "rehearsal", "AWS_SECRET_ACCESS_KEY": "rehearsal"}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. ``at``: seconds since the world began. ``kind``: who speaks
    (``task``, ``deployment``, ``hook``, ``traffic``, ``alarm``, ``lambda``, ``notification`` …).
    ``text``: one line for a person. ``data``: the same for a program."""

    at: float
    kind: str
    text: str
    data: dict[str, Any]


class EventLog:
    """All events, in order. Listeners are called in the thread that speaks; they must be quick."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._events: list[Event] = []
        self._listeners: list[Any] = []
        self._lock = threading.Lock()

    def say(self, kind: str, text: str, **data: Any) -> None:
        """Append one event and tell the listeners."""
        event = Event(self.now(), kind, text, data)
        with self._lock:
            self._events.append(event)
            listeners = list(self._listeners)
        for listener in listeners:
            listener(event)

    def now(self) -> float:
        """Seconds since the world began."""
        return time.monotonic() - self._began

    def listen(self, listener: Any) -> None:
        """Call ``listener(event)`` for every event from now on."""
        with self._lock:
            self._listeners.append(listener)

    def all(self, kind: str | None = None) -> list[Event]:
        """The events so far, of one kind or of all."""
        with self._lock:
            return [event for event in self._events if kind is None or event.kind == kind]


@dataclass
class World:
    """One rehearsal: its addresses, its pace, its folder, its children, its story.

    ``speed``: how many of AWS's seconds pass in one real second. Raft's own times are real.
    ``directory``: logs, sockets and data of this run.
    """

    block: Block
    speed: float
    directory: Path
    processes: Spawner = field(default_factory=Spawner)
    events: EventLog = field(default_factory=EventLog)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint(self) -> str:
        """Where the embedded AWS answers."""
        return f"http://{self.block.aws}:{AWS_PORT}"

    def real(self, seconds: float) -> float:
        """Real seconds for so many of AWS's seconds."""
        return seconds / self.speed

    def sleep(self, aws_seconds: float) -> bool:
        """Let so many of AWS's seconds pass; ``True`` when the rehearsal is stopping."""
        return self.stopping.wait(self.real(aws_seconds))

    def client(self, service: str) -> Any:
        """A botocore client of the embedded AWS. One a service, safe to share between threads."""
        return _client(service, self.endpoint)


@functools.cache
def _client(service: str, endpoint: str) -> Any:
    return botocore.session.get_session().create_client(
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=botocore.config.Config(
            retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60
        ),
    )
