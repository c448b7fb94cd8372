"""A full disk is called that."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from quorumshift.cli.main import main
from quorumshift.rehearsal.disk import NEEDED, no_room


def disk_with(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))


def test_too_little_room_is_told_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    disk_with(monkeypatch, NEEDED - 1)
    assert main(["rehearse"]) == 2
    said = capsys.readouterr().err
    assert "511 MiB free, a rehearsal needs 512: make room" in said
    assert len(said.splitlines()) == 1


def test_what_a_full_disk_brings_about_names_the_disk(tmp_path: Path) -> None:
    broken = RuntimeError("the load told nothing")
    try:
        Path("/dev/full").write_text("a log line")
    except OSError as error:
        broken.__cause__ = error
    assert no_room(broken, tmp_path) == (
        f"the disk that holds {tmp_path} is full: make room, then start again"
    )


def test_a_child_that_a_full_disk_ended_raises_no_error_of_the_disks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    disk_with(monkeypatch, 4096)
    assert "is full" in no_room(RuntimeError("ended with exit code 1"), tmp_path)
    disk_with(monkeypatch, NEEDED)
    assert no_room(RuntimeError("ended with exit code 1"), tmp_path) == ""
