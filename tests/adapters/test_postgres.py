"""The registry in a real PostgreSQL: who is alive, what is refused, and what passes."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from quorumshift.adapters.discovery.postgres import PostgresRegistry
from quorumshift.domain.errors import InvalidConfiguration, MissingResource, Transient
from quorumshift.ports import Registered, Server
from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.database import Database
from quorumshift.rehearsal.database_authority import ca_file
from quorumshift.rehearsal.world import World
from tests.adapters.postgres_bench import (
    PORT,
    REGION,
    Secret,
    Table,
    connect,
    forwarding,
    instead,
    registry,
)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(block=take_block(), speed=60, directory=tmp_path_factory.mktemp("postgres"))
    try:
        yield world
    finally:
        world.processes.close()


@pytest.fixture(scope="session")
def database(world: World) -> Iterator[Database]:
    database = Database(world, world.block.database)
    try:
        database.start()
        yield database
    finally:
        database.stop()


@pytest.fixture
def table(database: Database) -> Iterator[Table]:
    """The table, empty."""
    table = Table(database)
    table.run("TRUNCATE servers RESTART IDENTITY")
    yield table
    table.close()


@pytest.fixture
def elsewhere(world: World) -> str:
    """An address at which nobody listens."""
    return f"{world.block.prefix}.5"


def test_who_is_alive(table: Table) -> None:
    young = table.add("10.0.0.1", age=29)
    table.add("10.0.0.2", age=31)
    table.add("10.0.0.3", age=None)
    table.add(None)
    table.add("10.0.0.5", region="eu-west-1")
    table.add("10.0.0.6", status="offline")
    draining = table.add("10.0.0.7", status="draining")
    quiet = table.add("10.0.0.8", status=None)
    assert registry(table.credentials).servers() == Registered(
        (
            Server(young, "10.0.0.1", "active"),
            Server(draining, "10.0.0.7", "draining"),
            Server(quiet, "10.0.0.8", ""),
        )
    )


@contextlib.contextmanager
def altered(table: Table, *columns: str) -> Iterator[None]:
    """The table with other types, until the end; every one is told apart by its name."""
    table.run("CREATE TABLE kept (LIKE servers INCLUDING ALL)")
    try:
        for column in columns:
            table.run(f"ALTER TABLE servers ALTER COLUMN {column}")
        yield
    finally:
        table.run("TRUNCATE servers")
        for name, kind in table.run(
            "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = 'kept'::regclass AND attnum > 0"
        ):
            if name != "id":
                table.run(f"ALTER TABLE servers ALTER COLUMN {name} TYPE {kind} USING NULL")
        table.run("DROP TABLE kept")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Los_Angeles"])
@pytest.mark.parametrize("columns", ["none", "inet", "zone", "both"])
def test_addresses_and_times_as_other_types(table: Table, columns: str, zone: str) -> None:
    """The same servers are alive, whatever the zone of the role that asks."""
    changes = {
        "inet": "ip_address TYPE inet USING ip_address::inet",
        "zone": "last_heartbeat TYPE timestamptz USING last_heartbeat AT TIME ZONE 'utc'",
    }
    asked = [one for name, one in changes.items() if columns in (name, "both")]
    young = table.add("10.0.0.1", age=25, grpc_address="10.0.0.1:50051")
    table.add("10.0.0.2", age=31)
    table.add("10.0.0.3", age=3600)
    six = table.add("2001:db8::5", age=0)
    user = table.credentials.username
    table.run(f"ALTER ROLE {user} SET timezone = '{zone}'")
    try:
        with altered(table, *asked):
            found = registry(table.credentials).servers()
    finally:
        table.run(f"ALTER ROLE {user} RESET timezone")
    assert found == Registered(
        (Server(young, "10.0.0.1", "active"), Server(six, "2001:db8::5", "active"))
    )


def test_a_heartbeat_that_is_no_time_is_refused_by_its_column(table: Table) -> None:
    table.add("10.0.0.1", age=3600)
    with (
        altered(table, "last_heartbeat TYPE date"),
        pytest.raises(MissingResource, match="last_heartbeat of servers is of the type date"),
    ):
        registry(table.credentials).servers()


def test_a_network_is_no_address(table: Table) -> None:
    table.add("10.0.0.0/24")
    with altered(table, "ip_address TYPE inet USING ip_address::inet"):
        (said,) = registry(table.credentials).servers().unknown
    assert "has the ip_address '10.0.0.0/24', which is none" in said


def test_nobody_is_alive(table: Table) -> None:
    assert registry(table.credentials).servers() == Registered(())


def test_what_cannot_be_believed_is_told(table: Table) -> None:
    table.add("10.0.0")
    table.add("10.0.0.2", grpc_address="10.0.0.3:50051")
    table.add("10.0.0.4", grpc_port=50061)
    old, new = table.add("10.0.0.5"), table.add("10.0.0.5")
    table.add("10.0.0.6", age=31)
    again = table.add("10.0.0.6", grpc_address="10.0.0.6:50051")
    found = registry(table.credentials).servers()
    assert {server.raft_id for server in found.servers} == {new, again}
    assert [said.split(" of the")[0] for said in found.unknown] == [
        "server 1",
        "server 2",
        "server 3",
        f"servers {old} and {new}",
    ]


@pytest.mark.parametrize("off", [-7200.0, 7200.0])
def test_the_clock_of_who_asks_does_not_matter(
    table: Table, monkeypatch: pytest.MonkeyPatch, off: float
) -> None:
    now = time.time
    table.add("10.0.0.1", age=29)
    table.add("10.0.0.2", age=31)
    monkeypatch.setattr(time, "time", lambda: now() + off)
    (server,) = registry(table.credentials).servers().servers
    assert server.address == "10.0.0.1"


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_nor_does_the_time_zone_of_the_session(table: Table, zone: str) -> None:
    table.add("10.0.0.1", age=29)
    table.add("10.0.0.2", age=31)
    table.run(f"ALTER ROLE snaketron SET timezone = '{zone}'")
    try:
        (server,) = registry(table.credentials).servers().servers
    finally:
        table.run("ALTER ROLE snaketron RESET timezone")
    assert server.address == "10.0.0.1"


def test_the_region_is_a_value_whatever_it_holds(table: Table) -> None:
    for number, region in enumerate(("us-east-1", "x' OR 'a'='a", "'; DROP TABLE servers; --"), 1):
        table.add(f"10.0.0.{number}", region=region)
    for number, region in enumerate(("us-east-1", "x' OR 'a'='a", "'; DROP TABLE servers; --"), 1):
        (server,) = registry(table.credentials, region=region).servers().servers
        assert server.address == f"10.0.0.{number}"
    assert registry(table.credentials, region="' OR ''='").servers() == Registered(())
    assert len(registry(table.credentials, region="").servers().servers) == 3


@contextlib.contextmanager
def view_instead(table: Table, status: str) -> Iterator[None]:
    """``servers`` is a view with one row, which is made when somebody asks."""
    table.run("ALTER TABLE servers RENAME TO servers_kept")
    table.run(
        "CREATE VIEW servers AS SELECT 1 AS id, '10.0.0.1' AS ip_address, 50051 AS grpc_port, "
        "NULL::text AS grpc_address, (now() AT TIME ZONE 'utc') AS last_heartbeat, "
        f"'us-east-1' AS region, ({status})::text AS status"
    )
    table.run("GRANT SELECT ON servers TO snaketron")
    try:
        yield
    finally:
        table.run("DROP VIEW servers")
        table.run("ALTER TABLE servers_kept RENAME TO servers")


def test_the_session_says_who_it_is_and_cannot_write(table: Table) -> None:
    said = "current_setting('application_name') || ' ' || current_setting('transaction_read_only')"
    with view_instead(table, said):
        (server,) = registry(table.credentials).servers().servers
    assert server.status == "quorumshift on"

    table.run("CREATE TABLE wrote (what text)")
    table.run(
        "CREATE FUNCTION write() RETURNS text LANGUAGE sql VOLATILE SECURITY DEFINER AS "
        "$$ INSERT INTO wrote VALUES ('x') RETURNING what $$"
    )
    try:
        with (
            view_instead(table, "write()"),
            pytest.raises(MissingResource, match=r"read-only transaction.*a view that reads alone"),
        ):
            registry(table.credentials).servers()
        assert table.run("SELECT * FROM wrote") == []
    finally:
        table.run("DROP FUNCTION write")
        table.run("DROP TABLE wrote")


def test_a_rotated_password_is_read_again_once(table: Table) -> None:
    table.add("10.0.0.1")
    secret = Secret(replace(table.credentials, password="of yesterday"), table.credentials)
    assert len(registry(secret).servers().servers) == 1
    assert secret.reads == 2


@pytest.mark.parametrize("later", ["of yesterday", "of tomorrow"])
def test_a_wrong_password_is_told_without_it(table: Table, later: str) -> None:
    wrong = replace(table.credentials, password="of yesterday")
    secret = Secret(wrong, replace(wrong, password=later))
    with pytest.raises(MissingResource, match="did not accept user and password") as caught:
        registry(secret).servers()
    assert secret.reads == 2
    told = "".join(traceback.format_exception(caught.value))
    assert f"{table.credentials.host}:5432" in told
    assert "of yesterday" not in told
    assert later not in told
    assert "of yesterday" not in repr(wrong)


@pytest.mark.parametrize(
    ("broken", "mended", "said"),
    [
        (
            "ALTER TABLE servers RENAME TO away",
            "ALTER TABLE away RENAME TO servers",
            r'"servers" does not exist, 42P01\); run the service\'s migrations',
        ),
        (
            "ALTER TABLE servers RENAME last_heartbeat TO beat",
            "ALTER TABLE servers RENAME beat TO last_heartbeat",
            r'"last_heartbeat" does not exist, 42703\); run the service\'s migrations',
        ),
        (
            "REVOKE ALL ON servers FROM snaketron",
            "GRANT ALL ON servers TO snaketron",
            "permission denied for table servers, 42501.*GRANT SELECT ON servers",
        ),
        (
            "ALTER ROLE snaketron NOLOGIN",
            "ALTER ROLE snaketron LOGIN",
            "not permitted to log in, 28000.*let the secret's user in",
        ),
    ],
)
def test_what_a_person_must_mend(table: Table, broken: str, mended: str, said: str) -> None:
    table.run(broken)
    try:
        with pytest.raises(MissingResource, match=said):
            registry(table.credentials).servers()
    finally:
        table.run(mended)
    assert registry(table.credentials).servers() == Registered(())


def test_another_database(table: Table) -> None:
    with pytest.raises(MissingResource, match=r'"other" does not exist, 3D000\); correct dbname'):
        registry(table.credentials, dbname="other").servers()


def test_too_many_connections_pass(table: Table) -> None:
    table.run("ALTER ROLE snaketron CONNECTION LIMIT 0")
    try:
        with pytest.raises(Transient, match="too many connections"):
            registry(table.credentials).servers()
    finally:
        table.run("ALTER ROLE snaketron CONNECTION LIMIT -1")


def test_a_slow_statement_is_ended_by_the_server(table: Table) -> None:
    table.run("BEGIN; LOCK servers")
    began = time.monotonic()
    try:
        with pytest.raises(Transient, match="statement timeout, 57014"):
            registry(table.credentials, timeout=2.0).servers()
        assert time.monotonic() - began < 4
    finally:
        table.run("ROLLBACK")


def test_no_connection_is_left(table: Table) -> None:
    asked = registry(table.credentials)
    for _ in range(3):
        asked.servers()
    with pytest.raises(MissingResource):
        registry(table.credentials, dbname="other").servers()
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'quorumshift'"
    deadline = time.monotonic() + 10
    while table.run(query) != [[0]]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_certificate_of_another_address_is_refused(table: Table, elsewhere: str) -> None:
    with (
        instead(elsewhere, forwarding(table.credentials), table.credentials) as there,
        pytest.raises(MissingResource, match=f"IP address mismatch.*'{elsewhere}'.*host in the"),
    ):
        registry(there).servers()


def test_a_certificate_of_another_authority_is_refused(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(MissingResource, match=r"not trusted.*database\.ca_file must hold"):
        registry(table.credentials, ca=ca_file()).servers()


def test_without_a_file_the_systems_authorities_count(table: Table) -> None:
    asked = PostgresRegistry(
        Secret(table.credentials), region=REGION, port=PORT, tls="verify-full", ca_file=None
    )
    with pytest.raises(MissingResource, match="a certificate that is not trusted"):
        asked.servers()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_used(table: Table, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InvalidConfiguration, match=r"database\.ca_file: .*ca\.pem cannot be used"):
        registry(table.credentials, ca=file).servers()


def test_only_two_kinds_of_tls(table: Table) -> None:
    with pytest.raises(InvalidConfiguration, match="'require' is neither verify-full nor off"):
        registry(table.credentials, tls="require")


def test_a_server_that_insists_on_tls(table: Table) -> None:
    with pytest.raises(MissingResource, match=r"no encryption.*database\.tls = verify-full"):
        registry(table.credentials, tls="off").servers()


def test_without_tls_where_it_is_configured(world: World, elsewhere: str) -> None:
    database = Database(world, elsewhere, tls_only=False)
    try:
        database.start()
        table = Table(database)
        table.add("10.0.0.1")
        assert len(registry(table.credentials, tls="off").servers().servers) == 1
        assert len(registry(table.credentials).servers().servers) == 1
        table.close()
    finally:
        database.stop()
    with pytest.raises(Transient, match=rf"{elsewhere}:5432 could not be reached.*refused"):
        registry(table.credentials).servers()


def test_the_owner_may_write_the_table(table: Table) -> None:
    owner = connect(table.credentials)
    owner.run("INSERT INTO servers (region) VALUES ('us-east-1')")
    owner.close()
    assert table.run("SELECT grpc_port, raft_port FROM servers") == [[50051, 50052]]
