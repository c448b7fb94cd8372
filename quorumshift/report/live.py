"""The live view of a rehearsal: a picture on a terminal, plain lines in a log."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from quorumshift.domain.shown import one_line, page
from quorumshift.report.lines import line, load_figures, player_figures

if TYPE_CHECKING:
    from quorumshift.rehearsal.run import Rehearsal
    from quorumshift.rehearsal.world import Event


@contextlib.contextmanager
def live_view(rehearsal: Rehearsal, stream: TextIO) -> Iterator[View]:
    """Follow ``rehearsal`` on ``stream`` until the context is left."""
    view: View
    if drawable(stream):
        from quorumshift.report.terminal import Terminal

        view = Terminal(rehearsal, stream)
    else:
        view = Log(rehearsal, stream)
    try:
        yield view
    finally:
        view.close()


def drawable(stream: TextIO) -> bool:
    """Whether a picture can be drawn on ``stream``."""
    if not stream.isatty():
        return False
    from quorumshift.report.drawing import can_draw

    return can_draw(stream)


class View:
    """What shows a rehearsal; :meth:`close` ends it and may be called twice."""

    def close(self) -> None:
        """Stop showing."""


class Log(View):
    """One line an event, no control codes; the load's and the players' figures every five
    seconds."""

    EVERY_SECONDS = 5.0

    def __init__(self, rehearsal: Rehearsal, stream: TextIO) -> None:
        self._rehearsal = rehearsal
        self._stream = stream
        self._lock = threading.Lock()
        self._closed = threading.Event()
        rehearsal.world.events.listen(self._show)
        threading.Thread(target=self._figures, name="figures", daemon=True).start()

    def _show(self, event: Event) -> None:
        text = line(event)
        if text is not None and not self._closed.is_set():
            self._write(f"{event.at:6.1f} s  {text}")

    def _figures(self) -> None:
        while not self._closed.wait(self.EVERY_SECONDS):
            load, players = self._rehearsal.load, self._rehearsal.players
            if load is not None:
                self._tell("load", load_figures(load.snapshot()))
            if players is not None:
                self._tell("players", player_figures(players.snapshot()))

    def _tell(self, who: str, figures: str) -> None:
        self._write(f"{self._rehearsal.world.events.now():6.1f} s  {who:<11} {figures}")

    def _write(self, text: str) -> None:
        with self._lock, contextlib.suppress(BrokenPipeError):
            print(one_line(text), file=self._stream, flush=True)

    def close(self) -> None:
        self._closed.set()


class Kept(View):
    """What goes on in a rehearsal that stays up, a line an event; of a message all that was sent,
    as nothing leaves the machine and it can be read nowhere else."""

    def __init__(self, rehearsal: Rehearsal, stream: TextIO) -> None:
        self._stream = stream
        self._closed = threading.Event()
        rehearsal.world.events.listen(self._show)

    def _show(self, event: Event) -> None:
        text = line(event)
        if text is None or self._closed.is_set():
            return
        body = str(event.data.get("message", "")) if event.kind == "notification" else ""
        head = one_line(f"{event.at:6.1f} s  {text}")
        lines = [head, *(f"          {row}" for row in body.splitlines())]
        with contextlib.suppress(BrokenPipeError):
            print(page("\n".join(lines)), file=self._stream, flush=True)

    def close(self) -> None:
        self._closed.set()
