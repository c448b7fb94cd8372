"""A traceback holds what came from outside, and is shown as that is: nothing in it is obeyed."""

from __future__ import annotations

import subprocess
import sys

import pytest

SAID = "refused \x1b[2J\x9b1m\u202e\r\n::error::forged\n##[error]forged"
_THROW = f"""
import runpy, sys, threading
SAID = {SAID!r}

def throw(*_):
    try:
        raise ValueError(SAID)
    except ValueError as error:
        raise RuntimeError(SAID) from error

def throw_in_a_thread(*_):
    thread = threading.Thread(target=throw)
    thread.start()
    thread.join()
    return 7
"""
_COMMAND = """
from quorumshift.cli import entry, plan
plan._run = {act}
sys.argv = ["quorumshift", "plan", "--debug"]
sys.exit(entry.main())
"""
_ARM = """
from quorumshift.cli import arms
arms._run_here = {act}
arms.die_with_parent = lambda: None
sys.argv = ["arms", next(iter(__import__("quorumshift.rehearsal.ways").rehearsal.ways.WAYS)),
    "--debug"]
sys.exit(arms.main())
"""
_ACTION = """
from quorumshift.cli import action
action.asked = {act}
sys.exit(action.main())
"""


@pytest.mark.parametrize(
    ("entry", "act", "code"),
    [
        (_COMMAND, "throw", 1),
        (_COMMAND, "throw_in_a_thread", 7),
        (_ARM, "throw", 1),
        (_ACTION, "throw", 1),
    ],
    ids=["command", "thread", "arm", "action"],
)
def test_nothing_in_a_traceback_is_obeyed(entry: str, act: str, code: int) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _THROW + entry.format(act=act)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    text = run.stderr.decode()
    assert run.returncode == code, text
    assert "Traceback (most recent call last)" in text
    assert text.count("RuntimeError: refused \\x1b[2J\\x9b1m\\u202e") == 1
    assert text.count("ValueError: refused \\x1b[2J") == 1
    assert text.endswith("\n")
    assert not set(text) & set("\x1b\x9b\u202e\r")
    if entry is _ACTION:
        assert not any(line.lstrip().startswith(("::", "##[")) for line in text.splitlines())
