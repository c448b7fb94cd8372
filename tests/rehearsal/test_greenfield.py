"""A service that adopts is rehearsed as one for which everything is made."""

from __future__ import annotations

from pathlib import Path

from quorumshift.config import load
from quorumshift.config_adopt import Adopt
from quorumshift.rehearsal.greenfield import greenfield
from quorumshift.rehearsal.options import Options
from quorumshift.rehearsal.synthesis import ROOT
from tests.test_config import CERTIFICATE
from tests.test_config_adopt import ALL

ADOPT = ROOT / "examples" / "adopt" / "quorumshift.toml"
ETCD = ROOT / "examples" / "etcd" / "quorumshift.toml"


def options(configuration: Path) -> Options:
    return Options(nodes=3, rate=1, speed=60, fault=None, configuration=configuration)


def test_nothing_that_can_be_adopted_is_left() -> None:
    everything = {f"adopt.{name}": value for name, value in ALL.items()}
    everything["adopt.secrets"] = {"TOKEN": "prod/token"}
    described = load(ETCD, everything)
    assert all(getattr(described.adopt, name) for name in ALL)
    assert load(ETCD, {**everything, **greenfield(described)}).adopt == Adopt()


def test_names_and_variables_stay_and_secrets_are_made() -> None:
    plain, rehearsed = load(ADOPT), load(ADOPT, options(ADOPT).overrides)
    assert rehearsed.adopt == Adopt()
    assert rehearsed.names == plain.names
    assert rehearsed.service.secrets == {"SNAKETRON_JWT_SECRET": "adopted-1"}
    assert options(ADOPT).adopts


def test_listeners_speak_http_on_ports_that_anybody_may_open(tmp_path: Path) -> None:
    described = tmp_path / "quorumshift.toml"
    text = ETCD.read_text().replace("listener_port = 8080", "listener_port = 443", 1)
    plain = "plain_http = true"
    named = f'certificate = "{CERTIFICATE}"\nhost = "a.example.com"'
    described.write_text(text.replace(plain, named))
    plainly = load(described, options(described).overrides).load_balancer
    assert (plainly.scheme, plainly.certificate) == ("http", "")
    assert (plainly.listener_port, plainly.test_listener_port) == (8443, 9090)


def test_a_service_that_adopts_nothing_is_rehearsed_as_it_stands() -> None:
    assert options(ETCD).overrides == {}
    assert not options(ETCD).adopts
