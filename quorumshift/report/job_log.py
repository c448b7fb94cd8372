"""The log of a job on GitHub: a group a chapter, and GitHub's workflow commands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO

from quorumshift.domain.chronicle import News
from quorumshift.domain.shown import job_data, job_line, page
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
            self._write(f"{at:%H:%M:%S}  {job_line(line(news))}")
        self._open(chapter)

    def say(self, text: str) -> None:
        """One line outside of every group."""
        self.close()
        self._write(job_line(text))

    def error(self, title: str, text: str) -> None:
        """An annotation of the run."""
        self.close()
        self._write(f"::error title={job_data(title, ':,')}::{job_data(text)}")

    def notice(self, title: str, text: str) -> None:
        """An annotation of the run about nothing bad."""
        self.close()
        self._write(f"::notice title={job_data(title, ':,')}::{job_data(text)}")

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
            self._write(f"::group::{job_data(chapter)}")
        self._chapter = chapter

    def _write(self, text: str) -> None:
        print(page(text), file=self._stream, flush=True)
