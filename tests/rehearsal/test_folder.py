"""A killed rehearsal's disks go, its logs stay, and a running one is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorumshift.rehearsal.folder import new_folder


def test_only_what_the_dead_left_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead, dead_lock = new_folder()
    alive, alive_lock = new_folder()
    for folder in (dead, alive):
        (folder / "tasks" / "disk").mkdir(parents=True)
        (folder / "tasks" / "000-sample.log").write_text("it was so")
    dead_lock.close()
    _, lock = new_folder()
    assert not (dead / "tasks" / "disk").exists()
    assert (dead / "tasks" / "000-sample.log").exists()
    assert (alive / "tasks" / "disk").exists()
    alive_lock.close()
    lock.close()
