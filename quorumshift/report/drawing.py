"""What the pictures on a terminal share: the canvas that is drawn anew in place, and the bar."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

BAR = 40
"""Characters of the traffic bar."""


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
    console = Console(file=stream)
    live = Live(
        get_renderable=picture,
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
            console.print(picture())


def traffic_bar(green: float) -> Text:
    """``green``: percent. Readable without colours too."""
    filled = round(BAR * green / 100)
    return Text.assemble(
        ("█" * (BAR - filled), "blue"),
        ("▒" * filled, "green"),
        f"  blue {100 - green:g} %, green {green:g} %",
    )
