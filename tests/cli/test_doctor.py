"""``quorumshift doctor`` where nobody can be asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quorumshift.cli.main import main


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that knows no account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--region", "us-east-1"], "Unable to locate credentials"),
        (["--region", "us-east-1", "--profile", "nobody"], "nobody"),
        ([], "--region"),
    ],
)
def test_who_knows_no_account_is_told_how_to_get_one(
    arguments: list[str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert main(["doctor", "--output", "json", *arguments]) == 4
    _, account, *rest = json.loads(capsys.readouterr().out)["groups"]
    (who,) = account["checks"]
    assert who["state"] == "ng"
    assert says in who["seen"]
    assert "--profile" in who["fix"]
    assert {group["state"] for group in rest} == {"skip"}


def test_a_configuration_that_cannot_be_used_is_bad_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "quorumshift.toml"
    broken.write_text('[service]\nname = "app"\nport = 70000\n')
    assert main(["doctor", "--config", str(broken)]) == 2
    spoken = capsys.readouterr()
    assert spoken.out == ""
    assert f"{broken}:3" in spoken.err
