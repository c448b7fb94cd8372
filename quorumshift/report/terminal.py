"""The live view on a terminal: one picture, drawn four times a second."""

from __future__ import annotations

import collections
import contextlib
from typing import TYPE_CHECKING, TextIO

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from quorumshift.domain.raft import Standing
from quorumshift.domain.shown import one_line
from quorumshift.report.drawing import canvas, traffic_bar
from quorumshift.report.lines import line, player_figures
from quorumshift.report.live import View

if TYPE_CHECKING:
    from quorumshift.rehearsal.run import Rehearsal
    from quorumshift.rehearsal.world import Event

NEWS = 12
"""How many of the last lines are shown."""


class Terminal(View):
    """Keeps what the events told and draws it; never in the way of who tells."""

    def __init__(self, rehearsal: Rehearsal, stream: TextIO) -> None:
        self._rehearsal = rehearsal
        self._news: collections.deque[str] = collections.deque(maxlen=NEWS)
        self._state = ""
        self._stage = ""
        self._green = 0
        rehearsal.world.events.listen(self._take)
        self._drawing = contextlib.ExitStack()
        self._drawing.enter_context(canvas(stream, self._picture))

    def close(self) -> None:
        """Draw a last time and leave the picture standing."""
        self._drawing.close()

    def _take(self, event: Event) -> None:
        if event.kind == "state" and event.data.get("verb") == "entered":
            self._state = str(event.data.get("state", ""))
        if event.kind == "stage":
            self._stage = event.text
        if event.kind == "traffic" and {"green", "deployment"} <= event.data.keys():
            self._green = int(event.data["green"])
        text = line(event)
        if text is not None:
            self._news.append(one_line(f"{event.at:6.1f} s  {text}"))

    def _picture(self) -> RenderableType:
        parts: list[RenderableType] = [
            self._traffic(),
            self._nodes(),
            self._figures(),
            *self._players(),
        ]
        title = f"quorumshift rehearsal · {self._rehearsal.world.events.now():.0f} s"
        subtitle = self._state or self._stage
        news = Text("\n".join(self._news), overflow="ellipsis", no_wrap=True)
        return Group(
            Panel(Group(*parts), title=Text(title), subtitle=Text(subtitle), title_align="left"),
            news,
        )

    def _traffic(self) -> Text:
        return Text.assemble(("traffic   ", "bold"), traffic_bar(self._green))

    def _nodes(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        observer = self._rehearsal.observer
        members = observer.snapshot().members if observer is not None else ()
        for member in members:
            missing = not member.answering and member.standing is not Standing.OUTSIDE
            standing = "leader" if member.is_leader else member.standing.value
            style = "bold" if member.is_leader else "dim" if not member.answering else ""
            if member.standing is Standing.LEARNER:
                style = "yellow"
            table.add_row(
                Text(member.address, style=style),
                Text(standing, style=style),
                Text("does not answer" if missing else "", style="red"),
            )
        return table

    def _figures(self) -> Text:
        load = self._rehearsal.load
        if load is None:
            return Text("")
        seen = load.snapshot()
        return Text.assemble(
            ("load      ", "bold"),
            f"{seen.total:,} requests, ",
            (f"{seen.failed:,} failed", "red bold" if seen.failed else "green"),
            f", median {seen.p50_ms:.1f} ms, 99th percentile {seen.p99_ms:.1f} ms",
        )

    def _players(self) -> list[RenderableType]:
        players = self._rehearsal.players
        if players is None:
            return []
        return [Text.assemble(("players   ", "bold"), player_figures(players.snapshot()))]
