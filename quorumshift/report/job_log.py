"""The log of a job on GitHub: a group a chapter, and GitHub's workflow commands."""

from __future__ import annotations

from typing import TextIO

from quorumshift.report.news import Line, Teller
from quorumshift.report.story import Story


class JobLog:
    """Shows what is new in a story, each time it is told further."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._teller = Teller()
        self._shown = 0
        self._chapter = ""

    def show(self, story: Story) -> None:
        """Every visit that is over since the last time; the state that lasts opens its group."""
        for visit in story.visits[self._shown :]:
            if visit.left is None:
                self._open(self._teller.chapter(visit))
                break
            for line in self._teller.tell(visit):
                self._line(line)
            self._shown += 1

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

    def _line(self, line: Line) -> None:
        self._open(line.chapter)
        self._write(f"{line.at:%H:%M:%S}  {plain(line.text)}")

    def _open(self, chapter: str) -> None:
        if chapter == self._chapter:
            return
        self.close()
        self._write(f"::group::{_escaped(chapter)}")
        self._chapter = chapter

    def _write(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


def plain(text: str) -> str:
    """One line that GitHub's runner takes for no command: it knows ``::`` at a line's start, and an
    older ``##[`` anywhere."""
    line = " ".join(text.split()).replace("##[", "# #[")
    return f" {line}" if line.startswith("::") else line


def _escaped(text: str, more: str = "") -> str:
    """As a command wants its data (GitHub Actions documentation, "Workflow commands")."""
    for special in ("%", "\r", "\n", *more):
        text = text.replace(special, f"%{ord(special):02X}")
    return text
