"""A message to people in the form that Slack takes: blocks of mrkdwn.

The message's paragraphs become blocks: what is in columns keeps them, links can be followed. The
alarms' own messages, which are JSON, become sentences first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from quorumshift.domain.console import alarm_page
from quorumshift.domain.shown import one_line, page

LONGEST_TEXT = 3000
MOST_BLOCKS = 50
"""Of a section and of a message (Slack API, "Section block" and "Blocks")."""
_FENCE = "```"
_COLUMNS = re.compile(r"^ |  ", re.MULTILINE)
_LINK = re.compile(r"https://[^\s|]*[^\s|.,;:)]")
_CUT = "The message is longer than Slack takes; the execution's history has the rest."


def as_slack(subject: str, message: str) -> dict[str, Any]:
    """What an incoming webhook is given, for a message of Amazon SNS (``subject`` may be empty).

    ``text`` is what a notification on a phone shows.
    """
    subject, message = _read_alarm(message) or (subject, message)
    subject, message = one_line(subject), page(message)
    paragraphs = message.strip().split("\n\n")
    head = (subject or paragraphs[0].partition("\n")[0]).strip() or "A message without words"
    if paragraphs[0].strip() == head:
        paragraphs = paragraphs[1:]
    title = next(_pieces(head, LONGEST_TEXT - 2))
    texts = [f"*{title}*", *(text for each in paragraphs for text in _texts(each.strip("\n")))]
    if len(texts) > MOST_BLOCKS:
        texts = [*texts[: MOST_BLOCKS - 1], _CUT]
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in texts]
    return {"text": title, "blocks": blocks}


def _texts(paragraph: str) -> Iterator[str]:
    if _COLUMNS.search(paragraph):
        plain = paragraph.replace(_FENCE, '"""')
        for piece in _pieces(plain, LONGEST_TEXT - 2 * len(_FENCE) - 2):
            yield f"{_FENCE}\n{piece}\n{_FENCE}"
        return
    for piece in _pieces(paragraph, LONGEST_TEXT - 2 * len(_LINK.findall(paragraph))):
        yield _LINK.sub(lambda link: f"<{link[0]}>", piece)


def _pieces(text: str, longest: int) -> Iterator[str]:
    """``text``, escaped, in pieces of at most ``longest`` characters: cut between lines, or within
    a line that is longer by itself, and never within what stands for one character."""
    piece = ""
    for line in text.split("\n"):
        for part in _parts(line, longest):
            if piece and len(piece) + 1 + len(part) > longest:
                yield piece
                piece = part
            else:
                piece = f"{piece}\n{part}" if piece else part
    if piece:
        yield piece


def _parts(line: str, longest: int) -> Iterator[str]:
    part = ""
    for character in map(_escaped, line):
        if len(part) + len(character) > longest:
            yield part
            part = ""
        part += character
    yield part


def _escaped(text: str) -> str:
    """The three characters that mean something to Slack (API, "Formatting text for app surfaces",
    "Escaping text"); so nobody can call a whole channel with a description."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _read_alarm(message: str) -> tuple[str, str] | None:
    """Subject and message for what CloudWatch publishes when an alarm changes its state."""
    try:
        alarm = json.loads(message)
    except ValueError:
        return None
    if not isinstance(alarm, dict) or "AlarmName" not in alarm:
        return None
    link = alarm_page(str(alarm.get("AlarmArn")))
    said = (alarm.get("AlarmDescription"), alarm.get("NewStateReason"))
    parts = [str(each) for each in said if each]
    parts += [f"Console: {link}"] if link else []
    return f"{alarm.get('NewStateValue') or 'ALARM'}: {alarm['AlarmName']}", "\n\n".join(parts)
