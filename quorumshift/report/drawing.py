"""What the pictures on a terminal share: the canvas that is drawn anew in place, and the bar."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from quorumshift.domain.shown import page

BAR = 40
"""Characters of the traffic bar."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, of whose text nothing reaches the terminal as a command: rich passes on what a
    text holds. Its own control codes, and its styles, are apart from the text."""

    picture: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for one in console.render(self.picture, options):
            yield one if one.control else Segment(page(one.text), one.style)


def can_draw(stream: TextIO) -> bool:
    """Whether it is a terminal on which lines can be drawn again, in characters that it knows."""
    console = Console(file=stream)
    return console.is_terminal and not console.is_dumb_terminal and not console.options.ascii_only


@contextlib.contextmanager
def canvas(
    stream: TextIO, picture: Callable[[], RenderableType], *, screen: bool = False
) -> Iterator[None]:
    """Draw what ``picture`` gives, four times a second, and leave it standing in the end.

    ``screen``: on the terminal's second screen, which another size of the window cannot garble.
    """
    console = Console(file=stream, markup=False, highlight=False, emoji=False)
    live = Live(
        get_renderable=lambda: Shown(picture()),
        console=console,
        screen=screen,
        refresh_per_second=4,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    live.start()
    try:
        yield
    finally:
        live.stop()
        if screen:
            console.print(Shown(picture()))


def traffic_bar(green: float) -> Text:
    """``green``: percent. Readable without colours too."""
    filled = round(BAR * green / 100)
    return Text.assemble(
        ("█" * (BAR - filled), "blue"),
        ("▒" * filled, "green"),
        f"  blue {100 - green:g} %, green {green:g} %",
    )
