"""What may listen where a PostgreSQL is expected, and what a PostgreSQL in trouble says."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest

from quorumshift.adapters.aws.database_secret import Credentials
from quorumshift.adapters.discovery.postgres_errors import translated
from quorumshift.domain.errors import MissingResource, Transient
from quorumshift.rehearsal.block import take_block
from tests.adapters.postgres_bench import instead, message, refusal, registry, saying

CREDENTIALS = Credentials("10.0.0.9", 5432, "snaketron", "hunter2", "snaketron")
NO_PASSWORD = message(b"R", struct.pack("!i", 0))
READY = message(b"Z", b"I")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """One at which nobody listens."""
    block = take_block()
    yield block.database
    block.lock.close()


def dripping(client: socket.socket) -> None:
    """A message that never ends, a byte at a time."""
    client.recv(1 << 16)
    client.sendall(b"N" + struct.pack("!i", 1000))
    with contextlib.suppress(OSError):
        while True:
            client.sendall(b"x")
            time.sleep(0.05)


def closing(client: socket.socket) -> None:
    client.recv(1 << 16)


@pytest.mark.parametrize(
    ("tls", "talk"),
    [
        ("verify-full", saying()),
        ("verify-full", saying(b"S")),
        ("off", saying()),
        ("off", saying(NO_PASSWORD)),
        ("off", saying(NO_PASSWORD + READY)),
        ("off", dripping),
    ],
)
def test_silence_is_given_up_in_time(
    address: str, tls: str, talk: Callable[[socket.socket], None]
) -> None:
    with instead(address, talk, CREDENTIALS) as there:
        began = time.monotonic()
        with pytest.raises(Transient, match=r"gave no answer within 0\.5 s; it is asked again"):
            registry(there, tls=tls, timeout=0.5).servers()
        assert 0.4 < time.monotonic() - began < 4


@pytest.mark.parametrize(
    ("tls", "talk"),
    [
        ("verify-full", closing),
        ("verify-full", saying(refusal("53300", "sorry, too many clients already"))),
        ("off", closing),
    ],
)
def test_a_connection_that_is_closed_passes(
    address: str, tls: str, talk: Callable[[socket.socket], None]
) -> None:
    with (
        instead(address, talk, CREDENTIALS) as there,
        pytest.raises(Transient, match="could not be reached"),
    ):
        registry(there, tls=tls).servers()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("57P03", "the database system is starting up"),
        ("57P01", "terminating connection due to administrator command"),
        ("53300", "sorry, too many clients already"),
        ("40001", "conflict with recovery"),
        ("58030", "could not read file"),
        ("XX000", "something unheard of"),
    ],
)
def test_what_passes(address: str, code: str, text: str) -> None:
    with (
        instead(address, saying(refusal(code, text)), CREDENTIALS) as there,
        pytest.raises(Transient, match=rf"could not answer \({text}, {code}\); it is asked again"),
    ):
        registry(there, tls="off").servers()


def test_a_trouble_after_the_sign_in(address: str) -> None:
    crash = refusal("57P02", "terminating connection because of crash of another server process")
    with (
        instead(address, saying(NO_PASSWORD + READY, crash + READY), CREDENTIALS) as there,
        pytest.raises(Transient, match="crash of another server process, 57P02"),
    ):
        registry(there, tls="off").servers()


@pytest.mark.parametrize(
    ("tls", "talk", "said"),
    [
        ("verify-full", saying(b"N"), "does not speak TLS; switch it on there"),
        ("verify-full", saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), r"\(it answered with b'H'\)"),
        ("verify-full", saying(b"S" + b"no TLS at all" * 9), "no TLS handshake"),
        ("off", saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "announced a message of 14"),
        ("off", saying(b"?" + struct.pack("!i", 4)), "does not answer as PostgreSQL does"),
        ("off", saying(message(b"R", struct.pack("!i", 7))), "Authentication method 7"),
        ("off", saying(message(b"R", struct.pack("!i", 10) + b"X\0\0")), "as PostgreSQL does"),
        ("off", saying(b"R" + struct.pack("!i", -9)), "announced a message of -13 bytes"),
    ],
)
def test_what_is_no_postgresql_of_ours(
    address: str, tls: str, talk: Callable[[socket.socket], None], said: str
) -> None:
    with (
        instead(address, talk, CREDENTIALS) as there,
        pytest.raises(MissingResource, match=said) as caught,
    ):
        registry(there, tls=tls).servers()
    assert CREDENTIALS.password not in str(caught.value)


def test_nobody_listens(address: str) -> None:
    with pytest.raises(Transient, match=rf"{address}:5432 could not be reached \(connection ref"):
        registry(CREDENTIALS, host=address).servers()


def test_a_host_that_does_not_exist() -> None:
    error = translated(
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"), CREDENTIALS, 2
    )
    assert isinstance(error, MissingResource)
    assert "there is no such host; correct host in the secret" in str(error)
    error = translated(socket.gaierror(socket.EAI_AGAIN, "Try again"), CREDENTIALS, 2)
    assert isinstance(error, Transient)
