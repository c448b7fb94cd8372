"""A block of addresses is one rehearsal's, whoever runs it and however it is set up."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from quorumshift.rehearsal.block import BLOCKS, Block, take_block
from quorumshift.rehearsal.preflight import CannotStart, check_ports

_OTHER = """
import sys
from quorumshift.rehearsal.block import take_block
block = take_block()
print(block.prefix, flush=True)
sys.stdin.read()
"""


def test_another_home_and_temporary_folder_see_the_same_locks(tmp_path: Path) -> None:
    places = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", _OTHER],
        env={**os.environ, **places},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        try:
            assert other.stdout is not None
            theirs = other.stdout.readline().strip()
            assert theirs in {f"127.72.{number}" for number in BLOCKS}
            ours = take_block()
            with contextlib.closing(ours.lock):
                assert ours.prefix != theirs
        finally:
            other.kill()
            other.wait(10)
    again = take_block(_only(theirs))  # the kernel gave it back
    again.lock.close()


def test_a_block_whose_port_is_in_use_is_passed_over() -> None:
    first = take_block()
    first.lock.close()

    def check(block: Block) -> None:
        check_ports([(block.task(0), port)])

    with socket.socket() as taken:
        taken.bind((first.task(0), 0))
        port = taken.getsockname()[1]
        taken.listen(1)
        second = take_block(check)
    second.lock.close()
    assert second.prefix != first.prefix


def test_where_no_block_will_do_the_first_reason_is_told() -> None:
    def check(block: Block) -> None:
        raise CannotStart(f"port 4566 of {block.aws} cannot be used")

    with pytest.raises(CannotStart, match=r"port 4566 of 127\.72\.\d+\.1 cannot be used"):
        take_block(check)


def _only(prefix: str) -> Callable[[Block], None]:
    def check(block: Block) -> None:
        if block.prefix != prefix:
            raise CannotStart(f"{block.prefix} is not {prefix}")

    return check
