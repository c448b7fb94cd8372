"""What nobody thought of: one line and exit code 1, or the traceback that was asked for."""

from __future__ import annotations

from typing import NoReturn

import pytest

from quorumshift.cli import plan, rehearse
from quorumshift.cli.main import main


def fail(_: object) -> NoReturn:
    raise RuntimeError("the\nroof fell in")


@pytest.mark.parametrize(
    ("verb", "module", "act"), [("plan", plan, "_run"), ("rehearse", rehearse, "_run_one")]
)
def test_an_error_nobody_thought_of_is_one_line_unless_debugged(
    verb: str,
    module: object,
    act: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, act, fail)
    assert main([verb]) == 1
    said = f"quorumshift {verb}: broke: RuntimeError: the roof fell in; run it again with --debug\n"
    assert capsys.readouterr().err == said
    with pytest.raises(RuntimeError):
        main([verb, "--debug"])
