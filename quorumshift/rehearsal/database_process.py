"""``python -m quorumshift.rehearsal.database_process``: one PostgreSQL, which ends with the
rehearsal. Its :class:`Order` comes as JSON on standard input, so that no password is in the list
of processes.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quorumshift.rehearsal.database_front import Front
from quorumshift.rehearsal.processes import die_with_parent

PORT = 5432
DATABASE = "snaketron"
USER = "snaketron"
READER = "quorumshift"
"""May read the table, and nothing else."""
SUPERUSER = "postgres"
READY = "ready"
"""A file in the data folder: it answers."""

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""Of the server: none of the variables that PostgreSQL would take for settings."""

_SETTINGS = {
    "autovacuum": "off",
    "dynamic_shared_memory_type": "mmap",  # in the data folder, hence nothing of it can be left
    "fsync": "off",
    "full_page_writes": "off",
    "io_method": "sync",
    "jit": "off",
    "listen_addresses": "",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "max_connections": "100",
    "max_logical_replication_workers": "0",
    "max_wal_senders": "0",
    "max_wal_size": "32MB",
    "max_worker_processes": "0",
    "min_wal_size": "2MB",
    "password_encryption": "scram-sha-256",
    "port": str(PORT),
    "shared_buffers": "8MB",
    "synchronous_commit": "off",
    "timezone": "UTC",
    "unix_socket_permissions": "0700",
    "wal_level": "minimal",
}
"""For little memory, few processes, and data that nobody wants after a crash."""

_SERVERS = """
CREATE TABLE servers (
    id serial PRIMARY KEY,
    ip_address varchar(45),
    grpc_port integer DEFAULT 50051,
    raft_port integer DEFAULT 50052,
    grpc_address varchar(255),
    last_heartbeat timestamp,
    region varchar(50),
    created_at timestamp,
    status varchar(20),
    current_game_count integer,
    max_game_capacity integer
)
"""
"""SnakeTron's own; the migrations of the real service make it."""

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Order:
    """``installation``: of PostgreSQL. ``data``: an empty folder. ``certificate``: with its key, as
    PEM. ``passwords``: by user. ``uid``, ``gid``: whom to run as, if not as now."""

    installation: str
    data: str
    address: str
    tls_only: bool
    certificate: str
    passwords: dict[str, str]
    uid: int | None
    gid: int | None


def main() -> None:
    """Make the cluster, run its server, and stand in front of it."""
    die_with_parent()
    order = Order(**json.load(sys.stdin))
    os.setsid()  # a Ctrl-C in the terminal is the rehearsal's to answer
    if order.uid is not None and order.gid is not None:
        os.setgroups([])
        os.setgid(order.gid)
        os.setuid(order.uid)
        die_with_parent()  # the kernel forgot the wish with the change of the user
    os.umask(0o077)
    os.chdir(order.data)
    _make_cluster(order)
    asyncio.run(_serve(order))


async def _serve(order: Order) -> None:
    """Until the server ends, or SIGTERM asks for its end."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.create_subprocess_exec(
        *(_program(order, "postgres"), "-D", order.data, *_options(_SETTINGS)),
        *_options({"unix_socket_directories": order.data}),
        env=_ENVIRONMENT,
        preexec_fn=_end_with(os.getpid()),
    )
    ended = asyncio.ensure_future(server.wait())
    try:
        await _open(order, ended)
        told = asyncio.ensure_future(stop.wait())
        await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not ended.done():
            # It ends its own children, and leaves no shared memory behind.
            server.send_signal(signal.SIGQUIT)
        await ended
    sys.exit(0 if stop.is_set() else f"PostgreSQL ended with status {server.returncode}")


async def _open(order: Order, ended: asyncio.Future[int]) -> None:
    """Let clients in once the server is ready."""
    data = Path(order.data)
    certificate = data / "server.pem"
    certificate.write_text(order.certificate)
    while not _is_ready(data):
        if ended.done():
            return
        await asyncio.sleep(_POLL_SECONDS)
    front = Front(data / f".s.PGSQL.{PORT}", certificate, tls_only=order.tls_only)
    try:
        await front.listen(order.address, PORT)
    except OSError as error:
        sys.exit(f"cannot listen on {order.address}:{PORT}: {error.strerror}")
    (data / READY).touch()


def _end_with(front: int) -> Callable[[], None]:
    """What a child does between fork and exec, hence nothing is looked up in it."""
    prctl, getppid, leave, end = ctypes.CDLL(None).prctl, os.getppid, os._exit, int(signal.SIGQUIT)

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, end)
        if getppid() != front:
            leave(1)

    return ask


def _is_ready(data: Path) -> bool:
    """What ``pg_ctl`` asks: the last line that the server writes into its pid file."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


def _make_cluster(order: Order) -> None:
    _run(
        [
            _program(order, "initdb"),
            f"--pgdata={order.data}",
            f"--username={SUPERUSER}",
            *("--auth=reject", "--encoding=UTF8", "--locale=C", "--wal-segsize=1"),
            *("--no-sync", "--no-instructions"),
        ],
        "",
    )
    # Every value is ours: names are constants, passwords hexadecimal.
    _execute(
        order,
        "template1",
        f"ALTER ROLE {SUPERUSER} PASSWORD '{order.passwords[SUPERUSER]}'",
        f"CREATE ROLE {USER} LOGIN PASSWORD '{order.passwords[USER]}'",
        f"CREATE ROLE {READER} LOGIN PASSWORD '{order.passwords[READER]}'",
        f"CREATE DATABASE {DATABASE} OWNER {USER}",
    )
    _execute(
        order,
        DATABASE,
        _SERVERS,
        f"ALTER TABLE servers OWNER TO {USER}",
        f"GRANT SELECT ON servers TO {READER}",
    )
    (Path(order.data) / "pg_hba.conf").write_text("local all all scram-sha-256\n")


def _execute(order: Order, database: str, *statements: str) -> None:
    """Run statements without a server: before it listens, nobody can be in the way."""
    settings = {
        **{name: _SETTINGS[name] for name in ("fsync", "log_checkpoints", "shared_buffers")},
        "exit_on_error": "on",
        "log_min_error_statement": "panic",  # there are passwords in them
    }
    command = [_program(order, "postgres"), "--single", "-j", "-D", order.data]
    _run([*command, *_options(settings), database], "".join(f"{one};\n\n" for one in statements))


def _options(settings: dict[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _program(order: Order, name: str) -> str:
    return str(Path(order.installation) / "bin" / name)


def _run(command: list[str], said: str) -> None:
    """``said``: its standard input."""
    ended = subprocess.run(
        command,
        input=said.encode(),
        stdout=subprocess.DEVNULL,
        env=_ENVIRONMENT,
        preexec_fn=_end_with(os.getpid()),
        check=False,
    )
    if ended.returncode != 0:
        sys.exit(f"{command[0]} ended with status {ended.returncode}")


if __name__ == "__main__":
    main()
