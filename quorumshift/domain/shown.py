"""Text that came from outside, as each kind of output may show it.

A refused request, an alarm's reason, a node's answer may hold what a terminal obeys (ECMA-48: the
C0 and C1 controls, of which ESC begins most sequences, and DEL), what reorders a line for the eye
(Unicode Annex 9: the explicit directional formatting characters and marks; Trojan Source,
CVE-2021-42574), what ends a line, or half of a surrogate pair, which no encoding takes. Each is
shown as the escape that stands for it, so that a reader sees that something was there, and what.

One function a kind of output. Done where text leaves, not where it comes in: what is kept stays as
it was said.
"""

from __future__ import annotations

import json
import re
from typing import Any

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but tab and newline
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional
    "\u2028\u2029"  # ends of a line and of a paragraph
    "\ud800-\udfff]"  # half a pair
)
_BREAKS = re.compile(r"\s*[\n\r\x0b\x0c\x85\u2028\u2029]\s*")
_COMMAND = re.compile(r"^(\s*)::")
_MEANT_BY_MARKDOWN = re.compile(r"[\\`*\[\]|]")


def page(text: str) -> str:
    """Lines on a terminal or in a message: newlines and tabs are meant."""
    return _UNSAFE.sub(_escape, text.replace("\r\n", "\n"))


def one_line(text: object) -> str:
    """One line on a terminal, in a table, or in a function's log: a break is a space."""
    return page(_BREAKS.sub(" ", str(text))).replace("\t", " ")


def as_json(document: Any, indent: int | None = 2) -> str:
    """JSON that is faithful: what it holds is read back as it was. ``json`` escapes C0 by itself;
    the rest stands inside of strings alone, so it may be escaped where it stands."""
    return _UNSAFE.sub(_json_escape, json.dumps(document, indent=indent, ensure_ascii=False))


def job_line(text: object) -> str:
    """One line in a job's log that GitHub's runner takes for no command: it knows ``::`` at a
    line's start, whatever space is before it (actions/runner, ``ActionCommand.TryParseV2``), and an
    older ``##[`` anywhere."""
    return _COMMAND.sub(r"\1: :", one_line(text).replace("##[", "# #["))


def job_data(text: str, more: str = "") -> str:
    """As a workflow command wants its data (GitHub Actions documentation, "Workflow commands");
    ``more``: characters that mean something where it stands."""
    shown = page(text)
    for special in ("%", "\r", "\n", *more):
        shown = shown.replace(special, f"%{ord(special):02X}")
    return shown


def markdown(text: object) -> str:
    """Text on GitHub that stays in its cell, and is neither HTML nor a link nor a mention."""
    shown = _MEANT_BY_MARKDOWN.sub(r"\\\g<0>", one_line(text))
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace("@", "&#64;")


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _json_escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
