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
from quorumshift.config_schema import sections
from quorumshift.domain.errors import InvalidConfiguration
from quorumshift.domain.policy import Policy
from quorumshift.names import Names

ROOT = Path(__file__).parents[1]
ETCD = ROOT / "examples" / "etcd" / "quorumshift.toml"
SNAKETRON = ROOT / "quorumshift.toml"
SMALLEST = '[service]\nname = "orders"\n'
IN_THE_CLEAR = "\n[load_balancer]\nplain_http = true\n"
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/5f0c6e52-93f5-4f0e-9d55-3c1c8f0b7a21"
SECURED = f'certificate = "{CERTIFICATE}"\nhost = "play.example.com"\n'


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """What is not about listeners has plain ones."""

    def write(text: str) -> Path:
        path = tmp_path / "quorumshift.toml"
        plain = text if "[load_balancer]" in text else text + IN_THE_CLEAR
        path.write_text(plain, encoding="utf-8")
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
    sample = load(ETCD)
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
    path = write(SMALLEST + 'health_port = 3001\nwebsocket_path = "/ws"\n')
    assert load(path).service.health == (3001, "/health")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("", "/health"),
        ("health_port = 8080\n", "/health"),
        ('health_port = 3001\nwebsocket_path = "/ws"\n', ""),
        ('health_port = 3001\ntrial_path = "/version"\n', "/version"),
    ],
)
def test_what_is_asked_of_green_is_what_its_own_port_answers(
    write: Any, text: str, asked: str
) -> None:
    assert load(write(SMALLEST + text)).service.trial == asked


def test_overrides_replace_and_add() -> None:
    path = ETCD
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
        (SMALLEST + '[raft]\ndialect = "zab"\n', 4, ["must be etcd or snaketron", '"zab"']),
        (SMALLEST + '[discovery]\nkind = "dns"\n', 4, ["must be ecs or postgres", '"dns"']),
        (SMALLEST + '[database]\ntls = "on"\n', 4, ["must be verify-full or off", '"on"']),
        (SMALLEST + '[database]\nsecret = "a b"\n', 4, ["database.secret", "the name or the ARN"]),
        (SMALLEST + '[database.environment]\nA = "user"\n', 4, ["host, port, username", '"user"']),
        (SMALLEST + '[names]\ncluster = "a/b"\n', 4, ["names.cluster", "_ and -"]),
        (SMALLEST + '[names]\nstack = "a"\n', 4, ["names.stack", "is not known", "repository"]),
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
        (
            "health_port = 3001\n",
            1,
            ["service.trial_path", "on 3001", "that port 8080 answers"],
        ),
        ("[raft]\nport = 8080\n", 4, ["raft.port", "service.port"]),
        ("[raft]\npeer_port = 2379\n", 4, ["raft.peer_port", "raft.port"]),
        ('[discovery]\nkind = "postgres"\n', 4, ["discovery.kind", 'must be "ecs"', '"etcd"']),
        (
            '[raft]\ndialect = "snaketron"\n[discovery]\nkind = "postgres"\n[database]\n',
            7,
            ["database.secret", "is missing", 'discovery.kind is "postgres"'],
        ),
        (
            '[raft]\ndialect = "snaketron"\n[discovery]\nkind = "postgres"\n'
            '[database]\nsecret = "s"\n',
            7,
            ["database.region", "is missing", "column"],
        ),
        (
            '[database]\nreader_secret = "s"\n',
            4,
            ["database.reader_secret", 'discovery.kind = "postgres"'],
        ),
        (
            '[database]\nreader_secret = "database-reader"\nsecret = "s"\nregion = "r"\n'
            '[discovery]\nkind = "postgres"\n[raft]\ndialect = "snaketron"\n',
            4,
            ["database.reader_secret", "the whole ARN", "database-reader"],
        ),
        (
            '[database.environment]\nA = "host"\n',
            3,
            ["database.environment", "database.secret, which is missing"],
        ),
        (
            'environment = { A = "" }\n[database]\nsecret = "s"\nenvironment = { A = "host" }\n',
            6,
            ["database.environment", "in [service.environment] too"],
        ),
        (
            'secrets = { A = "aa" }\n[database.environment]\nA = "port"\n',
            5,
            ["database.environment.A", "in [service.secrets] too"],
        ),
        ('[database]\nsecret = "my-secret"\n', 4, ["the whole ARN", "six characters"]),
        (
            '[database]\nsecret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db"\n',
            4,
            ["the whole ARN", 'or the name alone: "db"'],
        ),
        ('[database]\nca_file = "ca.pem"\n', 4, ["ca.pem, which does not exist"]),
        ('[database]\nca_file = "quorumshift.toml"\n', 4, ["holds no certificate in PEM"]),
        ("[scaling]\nenabled = true\nminimum = 5\n", 5, ["scaling.minimum", "(3)", "5 to 9"]),
        ('[schedule]\ntime_zone = "Mars/Olympus"\n', 4, ["Europe/Berlin", "Mars/Olympus"]),
        ('[schedule]\nexpression = "rate(1 day)"\n', 4, ["cron(…) with six fields", "moment"]),
        ('[schedule]\nexpression = "cron(0 4 1 * * *)"\n', 4, ["schedule.expression must", "?"]),
        ('[schedule]\nexpression = "cron(99 99 * * ? *)"\n', 4, ["0 to 59 as minutes", "'99'"]),
        (
            "[raft]\nlock_minutes = 59\n",
            4,
            ["raft.lock_minutes must be 60 to 2,880, not 59", "protects no vote"],
        ),
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


@pytest.mark.parametrize("value", ["postgres://snake:hush@db/game", "redis://:hush@cache:6379"])
def test_a_password_in_a_url_is_refused_and_not_repeated(write: Any, value: str) -> None:
    text = f'{SMALLEST}[service.environment]\nDATABASE_URL = "{value}"\n'
    message = refusal(write(text))
    assert "service.environment.DATABASE_URL holds a password in its URL" in message
    assert "hush" not in message


def test_a_url_without_a_password_is_a_plain_value(write: Any) -> None:
    text = SMALLEST + '[service.environment]\nHOME_URL = "https://db:5432/a@b:c"\n'
    assert load(write(text)).service.environment["HOME_URL"] == "https://db:5432/a@b:c"


@pytest.mark.parametrize(
    "name",
    [
        *("DB_PASS", "DB_PASSWD", "DB_PASSWORD", "DB_PWD", "JWT_SECRET", "token"),
        *("API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_secrets_are_refused_among_plain_variables(write: Any, name: str) -> None:
    path = write(SMALLEST + f'[service.environment]\n{name} = "hunter2"\n')
    message = refusal(path)
    assert f"service.environment.{name}" in message
    assert "[service.secrets], [adopt.secrets] or [database.environment]" in message
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


def test_names_are_made_from_the_services_unless_they_are_given(write: Any) -> None:
    assert load(write(SMALLEST)).names == Names("orders")
    given = load(write(SMALLEST + '[names]\nservice = "shop"\ncluster = "all"\n')).names
    assert (given.root, given.service, given.cluster) == ("orders", "shop", "all")
    assert (given.family, given.topic) == ("orders", "orders-deployments")
    assert given.function("VerifyRaft") == "orders-verify-raft"


def test_every_resource_that_has_a_name_can_be_given_one() -> None:
    given = {field.name for field in dataclasses.fields(sections(Configuration)["names"][1])}
    assert given == {field.name for field in dataclasses.fields(Names)} - {"root"}


def test_certificates_are_found_beside_the_file_or_by_their_whole_path(
    write: Any, tmp_path: Path
) -> None:
    certificates = tmp_path / "ca.pem"
    certificates.write_text("-----BEGIN CERTIFICATE-----\n")
    beside = load(write(SMALLEST + '[database]\nca_file = "ca.pem"\n'))
    anywhere = load(write(SMALLEST), {"database.ca_file": str(certificates)})
    assert beside.database.ca_file == anywhere.database.ca_file == str(certificates)
    off = '[database]\ntls = "off"\nca_file = "not-there.pem"\n'
    assert load(write(SMALLEST + off)).database.certificates == ""


def test_a_secret_is_named_or_given_by_its_whole_arn(write: Any) -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-a1B2c3"
    for secret in ("prod/db", arn):
        assert load(write(f'{SMALLEST}[database]\nsecret = "{secret}"\n')).database.secret == secret


def test_snaketron_is_described_as_it_runs_today() -> None:
    found = load(SNAKETRON)
    names, service, database = found.names, found.service, found.database
    assert names.cluster == "snaketron-prod-cluster"
    assert names.service == "snaketron-prod-game-service"
    assert names.family == "snaketron-prod-server"
    assert names.application == "snaketron-prod-app"
    assert names.deployment_group == "snaketron-prod-ecs-dg"
    assert names.topic == "snaketron-prod-deployments"
    assert (service.container, service.port, service.websocket_path) == (
        "snaketron-server",
        8080,
        "/ws",
    )
    assert service.health == (3001, "/api/health")
    assert (service.cpu, service.memory, service.health_grace_seconds) == (256, 512, 120)
    assert service.capacity_providers == {"FARGATE_SPOT": 100}
    assert (found.raft.dialect, found.raft.port, found.raft.peer_port) == (
        "snaketron",
        50051,
        50052,
    )
    assert (found.discovery.kind, database.secret) == ("postgres", "snaketron-prod/database")
    variables = {*service.environment, *service.secrets, *database.environment}
    assert variables == {
        *("SNAKETRON_DB_HOST", "SNAKETRON_DB_PORT", "SNAKETRON_DB_USER", "SNAKETRON_DB_PASS"),
        *("SNAKETRON_DB_NAME", "SNAKETRON_JWT_SECRET", "SNAKETRON_WS_PORT"),
        *("SNAKETRON_GRPC_PORT", "SNAKETRON_API_PORT", "SNAKETRON_WEB_DIR", "SNAKETRON_REGION"),
        *("SNAKETRON_RAFT_PROMOTION", "IS_FARGATE", "RUST_LOG", "RUST_MIN_STACK"),
    }
    assert service.environment["SNAKETRON_RAFT_PROMOTION"] == "orchestrated"
    assert service.environment["SNAKETRON_REGION"] == database.region
    scaling = found.scaling
    assert (scaling.enabled, scaling.minimum, scaling.maximum) == (True, 3, 9)
    assert (scaling.cpu_percent, scaling.memory_percent) == (70, 80)
    assert (scaling.out_seconds, scaling.in_seconds) == (60, 300)
    assert found.environment.is_kept


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
    for table, (_, kind) in sections(Configuration).items():
        for field in dataclasses.fields(kind):
            default: Any = field.default
            if isinstance(default, tuple):
                default = list(default)
            if field.default_factory is not dataclasses.MISSING:
                default = dict(field.default_factory())
            elif default is dataclasses.MISSING:
                default = "required"
            found[f"{table}.{field.name}"] = default
    return found


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 3, ["load_balancer.certificate is missing", "AWS Certificate", "plain_http = true"]),
        ('host = "play.example.com"\n', 3, ["load_balancer.certificate is missing"]),
        ('certificate = "mine"\n', 4, ["the ARN of a certificate in AWS Certificate Manager"]),
        (f'certificate = "{CERTIFICATE}"\n', 3, ["load_balancer.host is missing", "users call"]),
        (f"{SECURED}plain_http = true\n", 4, ["plain_http = true", "take one of them out"]),
        (f"{SECURED}listener_port = 80\n", 6, ["must not be 80", "443"]),
        (f"{SECURED}test_listener_port = 80\n", 6, ["must not be 80"]),
        ('plain_http = true\nhost = "*.example.com"\n', 5, ["a host name", "play.example.com"]),
        ('plain_http = true\nhost = "Play.example.com"\n', 5, ["small letters"]),
        ('plain_http = true\nhost = "10.0.0.1"\n', 5, ["a host name"]),
    ],
)
def test_what_users_say_is_secret_unless_the_file_asks_for_plain_http(
    write: Any, text: str, line: int, says: list[str]
) -> None:
    path = write(f"{SMALLEST}[load_balancer]\n{text}")
    message = refusal(path)
    assert message.startswith(f"{path}:{line}: ")
    for words in says:
        assert words in message


def test_a_certificate_or_plain_http_is_enough(write: Any) -> None:
    secured = load(write(f"{SMALLEST}[load_balancer]\n{SECURED}")).load_balancer
    assert (secured.scheme, secured.certificate) == ("https", CERTIFICATE)
    plain = f"{SMALLEST}[load_balancer]\nplain_http = true\nlistener_port = 80\n"
    assert load(write(plain)).load_balancer.scheme == "http"
