"""quorumshift.toml: what is read, what is refused, and that every key is documented."""

from __future__ import annotations

import dataclasses
import re
import tomllib
import typing
from pathlib import Path
from typing import Any

import pytest

from quorumshift.config import Configuration, load
from quorumshift.domain.errors import InvalidConfiguration
from quorumshift.domain.policy import Policy

ROOT = Path(__file__).parents[1]
SMALLEST = '[service]\nname = "orders"\n'


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str) -> Path:
        path = tmp_path / "quorumshift.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refusal(path: Path, overrides: dict[str, Any] | None = None) -> str:
    with pytest.raises(InvalidConfiguration) as caught:
        load(path, overrides)
    return str(caught.value)


def test_the_smallest_file_gives_the_defaults(write: Any) -> None:
    configuration = load(write(SMALLEST))
    assert configuration.service.name == "orders"
    assert configuration.service.desired_count == 3
    assert configuration.service.health == (8080, "/health")
    assert configuration.raft.policy == Policy()
    assert configuration.build.repository == ""


def test_the_sample_is_valid_and_says_what_the_rehearsal_relies_on() -> None:
    sample = load(ROOT / "quorumshift.toml")
    assert sample.service.name == "sample"
    assert (sample.load_balancer.listener_port, sample.load_balancer.test_listener_port) == (
        8080,
        9090,
    )
    assert sample.raft.policy.stabilisation_seconds == 1.0
    assert sample.alarms == type(sample.alarms)(1.0, 0, 60, 2)


def test_every_field_of_the_policy_can_be_set(write: Any) -> None:
    values: dict[str, Any] = {
        "tolerance": 2,
        "minimum_voters": 5,
        "trailing_entries": 10,
        "stabilisation_seconds": 2.5,
        "settle_deadline_seconds": 90.0,
        "lock_minutes": 60,
        "bake_before_majority": True,
        "allow_unlocked": True,
        "allow_inferred": True,
        "drain_connections": 10,
        "drain_minutes": 15,
    }
    assert set(values) == {field.name for field in dataclasses.fields(Policy)}
    lines = "\n".join(f"{key} = {str(value).lower()}" for key, value in values.items())
    configuration = load(write(f"{SMALLEST}desired_count = 5\n[raft]\n{lines}\n"))
    assert configuration.raft.policy == Policy(**values)


def test_a_health_port_of_its_own(write: Any) -> None:
    assert load(write(SMALLEST + "health_port = 3001\n")).service.health == (3001, "/health")


def test_overrides_replace_and_add() -> None:
    path = ROOT / "quorumshift.toml"
    assert load(path, {"service.desired_count": 5}).service.desired_count == 5
    assert load(path, {"notifications.alarms": True}).notifications.alarms is True


def test_a_configuration_cannot_be_changed_by_who_reads_it(write: Any) -> None:
    service = load(write(SMALLEST + 'environment = { A = "b" }\n')).service
    with pytest.raises(TypeError):
        typing.cast(Any, service.environment)["A"] = "c"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[service]\n", 1, ["service.name", "is missing", "a letter first"]),
        ("[service]\nname = 3\n", 2, ["service.name", "a string", "not 3"]),
        ('[service]\nname = "Orders"\n', 2, ["service.name", "0-9 and -", '"Orders"']),
        (SMALLEST + "\n# why\nport = 70000\n", 5, ["service.port", "between 1 and 65,535"]),
        (SMALLEST + "port = true\n", 3, ["service.port", "a whole number", "not true"]),
        (SMALLEST + "ports = 1\n", 3, ["service.ports", "is not known", "websocket_path"]),
        (SMALLEST + "[rafts]\nport = 1\n", 3, ["rafts", "is not known", "raft, load_balancer"]),
        (SMALLEST + "[[raft]]\n", 3, ["raft", "must be a table"]),
        ("raft = 1\n" + SMALLEST, 1, ["raft", "must be a table", "not 1"]),
        ("service.name = 'a b'\n", 1, ["service.name", '"a b"']),
        (SMALLEST + "[raft]\ntolerance = 'one'\n", 4, ["raft.tolerance", "whole number"]),
        (SMALLEST + "[raft]\nsettle_deadline_seconds = nan\n", 4, ["between 1 and 600"]),
        (SMALLEST + '[raft]\ndialect = "zab"\n', 4, ["raft.dialect", "must be etcd", '"zab"']),
        (SMALLEST + "[service.environment]\nA = 1\n", 4, ["service.environment.A", "a string"]),
        (SMALLEST + 'environment = "A=b"\n', 3, ["service.environment", "a table of names"]),
        (SMALLEST + '[service.environment]\n"A-B" = ""\n', 4, ["service.environment.A-B"]),
        (SMALLEST + '[service.secrets]\nKEY = "A B"\n', 4, ["service.secrets.KEY"]),
        (SMALLEST + "[service\n", 3, ["not valid TOML"]),
        (SMALLEST + "name = 'b'\n", 3, ["not valid TOML"]),
    ],
)
def test_a_mistake_is_named_with_its_line(
    write: Any, text: str, line: int, says: list[str]
) -> None:
    path = write(text)
    message = refusal(path)
    assert message.startswith(f"{path}:{line}: ")
    for words in says:
        assert words in message


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("desired_count = 4\n", 3, ["not 4", "no more failures than 3", "take 3 or 5"]),
        ("desired_count = 2\n", 3, ["3, 5, 7 or 9", "not 2"]),
        ("desired_count = 11\n", 3, ["between 1 and 9"]),
        ("[raft]\ntolerance = 2\n", 4, ["raft.tolerance", "at most 1", "3 voters"]),
        ("[raft]\nminimum_voters = 5\n", 4, ["raft.minimum_voters", "desired_count (3)"]),
        ("cpu = 300\n", 3, ["service.cpu", "256, 512, 1024"]),
        ("cpu = 512\n", 1, ["service.memory", "1,024 to 4,096 MiB in steps of 1,024"]),
        ("memory = 700\n", 3, ["service.memory", "512 to 2,048"]),
        ("capacity_providers = { FARGATE = 0 }\n", 3, ["service.capacity_providers", "weight"]),
        ("capacity_providers = { EC2 = 1 }\n", 3, ["FARGATE|FARGATE_SPOT"]),
        ("[load_balancer]\ntest_listener_port = 8080\n", 4, ["must differ", "8080"]),
        ("[load_balancer]\nhealth_timeout_seconds = 30\n", 4, ["less than", "(30)"]),
        ("[raft]\nport = 8080\n", 4, ["raft.port", "service.port"]),
        ("[raft]\npeer_port = 2379\n", 4, ["raft.peer_port", "raft.port"]),
        ("[alarms]\nperiod_seconds = 90\n", 4, ["multiple of 60"]),
        ("[deployment]\ntermination_wait_minutes = 200\n", 3, ["more than", "(200)", "180"]),
    ],
)
def test_values_that_do_not_fit_each_other(
    write: Any, text: str, line: int, says: list[str]
) -> None:
    path = write(SMALLEST + text)
    message = refusal(path)
    assert message.startswith(f"{path}:{line}: ")
    for words in says:
        assert words in message


@pytest.mark.parametrize("name", ["DB_PASS", "DB_PASSWORD", "JWT_SECRET", "API_KEY", "token"])
def test_secrets_are_refused_among_plain_variables(write: Any, name: str) -> None:
    path = write(SMALLEST + f'[service.environment]\n{name} = "hunter2"\n')
    message = refusal(path)
    assert f"service.environment.{name}" in message
    assert "[service.secrets]" in message
    assert "hunter2" not in message


def test_a_variable_that_only_mentions_a_token_is_fine(write: Any) -> None:
    path = write(SMALLEST + '[service.environment]\nTOKEN_TTL_SECONDS = "60"\n')
    assert load(path).service.environment == {"TOKEN_TTL_SECONDS": "60"}


def test_a_variable_is_plain_or_secret_not_both(write: Any) -> None:
    path = write(SMALLEST + 'environment = { A = "" }\nsecrets = { A = "a-secret" }\n')
    assert "in [service.secrets] too" in refusal(path)


def test_keys_inside_multi_line_strings_are_not_taken_for_keys(write: Any) -> None:
    path = write(
        '[service.environment]\nTEXT = """\nport = 1\n"""\n[service]\nname = "orders"\nport = 0\n'
    )
    assert refusal(path).startswith(f"{path}:7: service.port ")


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ({"service.desired_count": 4}, "service.desired_count, given as an option, must be 3, 5"),
        ({"service.count": 4}, "service.count, given as an option, is not known"),
        ({"servce.port": 4}, "servce, given as an option, is not known"),
    ],
)
def test_a_bad_override_is_not_blamed_on_the_file(
    write: Any, overrides: dict[str, Any], says: str
) -> None:
    assert refusal(write(SMALLEST), overrides).startswith(says)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "quorumshift.toml")


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "quorumshift.toml"
    path.write_bytes(b"\xff\xfe")
    assert "cannot be read" in refusal(path)


def test_every_key_and_its_default_stand_in_the_documentation() -> None:
    assert documented() == schema()


def documented() -> dict[str, Any]:
    """``table.key`` → default, from the tables of docs/configuration.md."""
    found: dict[str, Any] = {}
    table = ""
    for line in (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8").splitlines():
        if header := re.fullmatch(r"## `\[(\w+)\]`", line):
            table = header[1]
        elif row := re.match(r"\| `(\w+)` \| (?:`(.*?)`|\(required\)) \|", line):
            default = tomllib.loads(f"it = {row[2]}")["it"] if row[2] else "required"
            found[f"{table}.{row[1]}"] = default
    return found


def schema() -> dict[str, Any]:
    """The same, from the dataclasses."""
    found: dict[str, Any] = {}
    for table, kind in typing.get_type_hints(Configuration).items():
        for field in dataclasses.fields(kind):
            default: Any = field.default
            if field.default_factory is not dataclasses.MISSING:
                default = dict(field.default_factory())
            elif default is dataclasses.MISSING:
                default = "required"
            found[f"{table}.{field.name}"] = default
    return found
