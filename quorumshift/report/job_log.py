"""The log of a job on GitHub: a group a chapter, and GitHub's workflow commands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO

from quorumshift.domain.chronicle import News
from quorumshift.report.chronicle import line, worth_a_line


class JobLog:
    """Shows news in groups, in their order."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._chapter = ""

    def show(self, told: Iterable[News], chapter: str) -> None:
        """All that is worth a line; ``chapter``, which lasts, opens its group."""
        for news in worth_a_line(told):
            self._open(news.chapter)
            at = datetime.fromtimestamp(news.at, UTC)
            self._write(f"{at:%H:%M:%S}  {plain(line(news))}")
        self._open(chapter)

    def say(self, text: str) -> None:
        """One line outside of every group."""
        self.close()
        self._write(plain(text))

    def error(self, title: str, text: str) -> None:
        """An annotation of the run."""
        self.close()
        self._write(f"::error title={_escaped(title, ':,')}::{_escaped(text)}")

    def notice(self, title: str, text: str) -> None:
        """An annotation of the run about nothing bad."""
        self.close()
        self._write(f"::notice title={_escaped(title, ':,')}::{_escaped(text)}")

    def close(self) -> None:
        """End the group that is open."""
        if self._chapter:
            self._write("::endgroup::")
        self._chapter = ""

    def _open(self, chapter: str) -> None:
        if chapter == self._chapter:
            return
        self.close()
        if chapter:
            self._write(f"::group::{_escaped(chapter)}")
        self._chapter = chapter

    def _write(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


def plain(text: str) -> str:
    """One line that GitHub's runner takes for no command: it knows ``::`` at a line's start, and an
    older ``##[`` anywhere."""
    shown = text.replace("\r", " ").replace("\n", " ").replace("##[", "# #[")
    return f" {shown}" if shown.lstrip().startswith("::") else shown


def _escaped(text: str, more: str = "") -> str:
    """As a command wants its data (GitHub Actions documentation, "Workflow commands")."""
    for special in ("%", "\r", "\n", *more):
        text = text.replace(special, f"%{ord(special):02X}")
    return text
