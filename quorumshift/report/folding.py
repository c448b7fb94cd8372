"""Text behind a head, folded to the width of a page."""

from __future__ import annotations

import textwrap

WIDTH = 100


def folded(head: str, text: str) -> list[str]:
    """``text`` behind ``head``, folded under itself; what is one long word stays whole."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
