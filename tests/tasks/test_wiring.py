"""What the handlers are given for each kind of service, and what they need not load."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import tasks.wiring
from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.adapters.raft.snaketron.control import SnaketronRaft
from quorumshift.domain.errors import InvalidConfiguration, Transient
from quorumshift.names import FUNCTIONS, module
from quorumshift.settings import Settings
from tests.adapters.aws_api import Api
from tests.tasks.aws import SETTINGS, SNAKETRON

ROOT = Path(__file__).parents[2]
# Lambda's runtime has none of these.
LIBRARIES = ("google.protobuf", "grpclib", "h2", "multidict", "pg8000", "scramp")
LOADED = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
from tasks.wiring import wiring
wiring().raft, wiring().registry, wiring().checks
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The secrets that were read; the database that they tell of lets nobody in."""
    seen: list[str] = []
    secret = {"host": "127.0.0.1", "port": 1, "username": "u", "password": "p", "dbname": "d"}

    def get_secret_value(SecretId: str) -> dict[str, str]:
        seen.append(SecretId)
        return {"SecretString": json.dumps(secret)}

    api = Api("secretsmanager", get_secret_value=get_secret_value)
    monkeypatch.setattr(tasks.wiring, "client", lambda name: Client(lambda: api))
    return seen


def test_an_etcd_service_has_no_registry() -> None:
    wiring = tasks.wiring.Wiring(SETTINGS)
    assert wiring.registry is None
    assert isinstance(wiring.raft, EtcdRaft)


def test_snaketrons_registry_is_found_through_its_secret(asked: list[str]) -> None:
    wiring = tasks.wiring.Wiring(SNAKETRON)
    assert isinstance(wiring.raft, SnaketronRaft)
    assert wiring.registry is not None
    with pytest.raises(Transient, match=r"127\.0\.0\.1"):
        wiring.registry.servers()
    assert set(asked) == {SNAKETRON.database_secret}


def test_certificates_lie_in_the_package(asked: list[str]) -> None:
    wiring = tasks.wiring.Wiring(replace(SNAKETRON, database_ca="not-packaged.pem"))
    assert wiring.registry is not None
    with pytest.raises(InvalidConfiguration, match=f"{ROOT / 'not-packaged.pem'} cannot be used"):
        wiring.registry.servers()


def test_what_lambda_does_not_have_is_loaded_where_it_is_used_alone() -> None:
    assert not loaded(SETTINGS) & set(LIBRARIES)
    assert loaded(SNAKETRON) >= {"google.protobuf", "grpclib"}


def loaded(settings: Settings) -> set[str]:
    """The modules that all handlers together load for such a service."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *map(module, FUNCTIONS)],
        cwd=ROOT,
        env={**settings.environment(), "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("settings", [SETTINGS, SNAKETRON], ids=["etcd", "snaketron"])
def test_settings_are_read_back_as_they_were_written(settings: Settings) -> None:
    assert Settings.read(settings.environment()) == settings


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("QUORUMSHIFT_DIALECT", "zab", "'zab' is not known; allowed: etcd, snaketron"),
        ("QUORUMSHIFT_DISCOVERY", "dns", "'dns' is not known; allowed: ecs, postgres"),
        ("QUORUMSHIFT_DATABASE_TLS", "on", "'on' is not known; allowed: verify-full, off"),
        ("QUORUMSHIFT_RAFT_PORT", "many", "invalid literal"),
    ],
)
def test_a_setting_that_nothing_is_made_for_is_named(name: str, value: str, says: str) -> None:
    with pytest.raises(InvalidConfiguration, match=f"environment variable {name}: .*{says}"):
        Settings.read({**SNAKETRON.environment(), name: value})


def test_a_setting_without_a_default_must_be_there() -> None:
    environment = SETTINGS.environment()
    del environment["QUORUMSHIFT_CLUSTER"]
    with pytest.raises(InvalidConfiguration, match="QUORUMSHIFT_CLUSTER is missing"):
        Settings.read(environment)
