"""An interrupt ends the command with 130 and one line, whatever it is just importing."""

from __future__ import annotations

import subprocess
import sys

import pytest

_STRUCK = """
import os, signal, sys
signal.signal({number}, signal.SIG_DFL)  # whoever runs the tests may ignore it
from quorumshift.cli import entry

class Strike:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Strike())
sys.argv = ["quorumshift", *{arguments!r}]
sys.exit(entry.main())
"""


@pytest.mark.parametrize("number", [2, 15, 1])
@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("quorumshift.cli.main", ("rehearse",)),
        ("quorumshift.cli.plan", ("status",)),
        ("quorumshift.rehearsal.run", ("rehearse",)),
        ("quorumshift.rehearsal.aws.server", ("rehearse", "--baseline")),
        ("quorumshift.adapters.aws.asking", ("doctor",)),
    ],
)
def test_an_interrupt_during_an_import(
    number: int, module: str, arguments: tuple[str, ...]
) -> None:
    code = _STRUCK.format(module=module, number=number, arguments=arguments)
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 130, run.stderr
    assert run.stderr == "quorumshift: interrupted before anything was begun\n"
    assert run.stdout == ""
