"""Several services and environments from one app."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.app import main
from infra.together import check_together
from quorumshift.config import load
from quorumshift.domain.errors import InvalidConfiguration
from tests.infra.conftest import ADOPT, ETCD, SNAKETRON
from tests.test_config import IN_THE_CLEAR
from tests.test_config_adopt import ALL, BALANCER, GROUPS, LISTENERS, PRODUCTION, VPC


def refusal(tmp_path: Path, one: dict[str, Any], other: dict[str, Any]) -> str:
    """What is said of two services that differ in nothing but this."""
    described = []
    for number, overrides in enumerate((one, other)):
        path = tmp_path / f"{number}.toml"
        path.write_text(f'[service]\nname = "service-{number}"\n{IN_THE_CLEAR}')
        described.append((path, load(path, overrides)))
    with pytest.raises(InvalidConfiguration) as caught:
        check_together(described)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / '1.toml'}: ")
    assert f"so it is in {tmp_path / '0.toml'};" in message
    return message


def adopted(keys: dict[str, Any]) -> dict[str, Any]:
    return {f"adopt.{name}": value for name, value in keys.items()}


def test_the_services_of_this_repository_can_stand_in_one_account() -> None:
    check_together([(path, load(path)) for path in (SNAKETRON, ETCD, ADOPT)])


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ({"service.name": "same"}, 'service.name is "same"'),
        ({"names.family": "same"}, 'names.family is "same"'),
        ({"names.application": "same"}, 'names.application is "same"'),
        ({"names.topic": "same"}, 'names.topic is "same"'),
        ({"names.cluster": "same"}, "or adopt.cluster = true"),
        ({"names.service": "same"}, 'names.service is "same"'),
        (adopted({**VPC, **BALANCER}), "give one of them another port"),
        (adopted({**VPC, **BALANCER, **GROUPS}), "a deployment needs both for itself"),
    ],
)
def test_no_two_services_make_or_move_the_same(
    tmp_path: Path, overrides: dict[str, Any], says: str
) -> None:
    assert says in refusal(tmp_path, overrides, overrides)


def test_a_listener_is_one_services_alone(tmp_path: Path) -> None:
    one = adopted({**VPC, **BALANCER, **GROUPS, **LISTENERS})
    swapped = {name: f"{value[:-1]}0" for name, value in GROUPS.items()}
    other = adopted({**VPC, **BALANCER, **swapped, **PRODUCTION}) | {
        "load_balancer.listener_port": 1,
        "load_balancer.test_listener_port": 2,
    }
    assert "each service needs its own two" in refusal(tmp_path, one, other)


def test_a_shared_cluster_and_network_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "quorumshift.toml"
    path.write_text(f'[service]\nname = "another"\n{IN_THE_CLEAR}')
    shared = {"names.cluster": "sample-cluster", **adopted({**VPC, **BALANCER, "cluster": True})}
    check_together([(ETCD, load(ETCD)), (path, load(path, shared))])


def test_the_app_refuses_with_one_message_before_anything_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(ETCD), "--config", str(ETCD), "--output", str(tmp_path / "out")])
    assert ended.value.code == 2
    assert "service.name is" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_everything_that_can_be_adopted_is_a_services_own(tmp_path: Path) -> None:
    assert refusal(tmp_path, adopted(ALL), adopted(ALL))
