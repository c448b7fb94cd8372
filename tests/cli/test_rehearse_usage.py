"""Bad usage: one message, exit code 2, nothing started."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorumshift.cli.main import main
from quorumshift.rehearsal.samples import ETCD


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--nodes", "2"], "fewer than 3 tolerate no failure; use 3, 5, 7 or 9"),
        (["--nodes", "4"], "an even number tolerates no more failures than one fewer"),
        (["--nodes", "11"], "more than 9 slow every write down"),
        (["--nodes", "three"], "'three' is not a whole number"),
        (["--rate", "0"], "out of range; use 1 to 500"),
        (["--speed", "0"], "out of range; use 1 to 120"),
        (["--speed", "nan"], "out of range"),
        (["--fault", "earthquake"], "bad-image"),
        (["--baseline", "--fault", "bad-image"], "leave --fault, --start and --keep out"),
        (["--baseline", "--keep"], "leave --fault, --start and --keep out"),
        (["--baseline", "--start", "schedule"], "leave --fault, --start and --keep out"),
        (["--baseline", "--build"], "leave --build out"),
        (["--start", "cron"], "'schedule'"),
        (["--start", "schedule", "--fault", "slow-green"], "slow-green needs a version 2"),
        (["--start", "schedule", "--contract", "migration"], "migration needs a version 2"),
        (["--start", "schedule", "--build"], "build needs a version 2"),
        (["--outputt", "json"], "--outputt"),
        (["--config", "/nowhere/quorumshift.toml"], "/nowhere/quorumshift.toml"),
        (["--service", "zookeeper"], "snaketron"),
        (["--service", "etcd", "--config", "x.toml"], "not allowed with argument --service"),
        (["--service", "etcd", "--contract", "legacy"], "has one only"),
        (["--service", "etcd", "--players", "10"], "the sample etcd has none"),
        (["--contract", "modern"], "there is extended, legacy, migration"),
        (["--players", "1001"], "out of range; use 0 to 1000"),
    ],
)
def test_bad_usage_gets_one_line_and_exit_code_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["rehearse", *arguments])
    except SystemExit as exit:
        code = int(str(exit.code))
    spoken = capsys.readouterr()
    assert code == 2
    assert spoken.out == ""
    assert says in spoken.err
    assert len(spoken.err.strip().splitlines()) == 1


def test_a_broken_configuration_names_file_line_key_and_what_is_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ETCD.configuration.read_text()
    broken = tmp_path / "quorumshift.toml"
    lines = [
        "port = 70000" if line.startswith("port") and at < 20 else line
        for at, line in enumerate(text.splitlines())
    ]
    broken.write_text("\n".join(lines))
    where = next(at for at, line in enumerate(lines, 1) if line == "port = 70000")
    assert main(["rehearse", "--config", str(broken)]) == 2
    spoken = capsys.readouterr().err
    assert f"{broken}:{where}" in spoken or f"line {where}" in spoken
    assert "port" in spoken
    assert "65,535" in spoken
