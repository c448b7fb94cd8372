"""Which rows are believed."""

from __future__ import annotations

import pytest

from quorumshift.adapters.discovery.postgres_rows import Row, registered
from quorumshift.ports import Registered, Server

PORT = 50051


def row(id: int, ip: str, grpc: str | None = None, port: int | None = PORT) -> Row:
    return Row(id, ip, port, grpc, "active")


@pytest.mark.parametrize(
    ("ip", "grpc"),
    [
        ("10.0.1.5", None),
        ("10.0.1.5", ""),
        (" 10.0.1.5 ", "10.0.1.5:50051"),
        ("10.0.1.5", "10.0.1.5"),
        ("10.0.1.5", "http://10.0.1.5:50051"),
        ("10.0.1.5", "http://10.0.1.5:50051/"),
        ("10.0.1.5", "ip-10-0-1-5.ec2.internal:50051"),
        ("10.0.1.5", "ip-10-0-1-5.ec2.internal"),
        ("2001:db8::5", "[2001:db8:0::5]:50051"),
        ("2001:DB8::5", "2001:db8::5"),
    ],
)
def test_an_address_and_what_agrees_with_it(ip: str, grpc: str | None) -> None:
    found = registered([row(7, ip, grpc)], PORT)
    address = "10.0.1.5" if "." in ip else "2001:db8::5"
    assert found == Registered((Server("7", address, "active"),))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (row(7, ""), "server 7 of the table servers has the ip_address '', which is none"),
        (row(7, "10.0.1"), "has the ip_address '10.0.1', which is none"),
        (row(7, "10.0.1.5:50051"), "has the ip_address '10.0.1.5:50051', which is none"),
        (row(7, "node-7"), "correct or delete the row"),
        (row(7, "10.0.1.5", port=50061), "has the grpc_port 50061, and raft.port is 50051"),
        (row(7, "10.0.1.5", port=None), "has the grpc_port None"),
        (row(7, "10.0.1.5", "10.0.1.6:50051"), "the grpc_address '10.0.1.6:50051', which is"),
        (row(7, "10.0.1.5", "http://10.0.1.6:50051"), "restart the node"),
        (row(7, "10.0.1.5", "10.0.1.5:50052"), "'10.0.1.5:50052', which is another place"),
        (row(7, "10.0.1.5", "node:50052"), "'node:50052', which is another place"),
        (row(7, "10.0.1.5", "2001:db8::5"), "'2001:db8::5', which is another place"),
        (row(7, "2001:db8::5", "[2001:db8::6]:50051"), "which is another place"),
    ],
)
def test_a_row_that_contradicts_itself_is_told_and_not_used(given: Row, said: str) -> None:
    found = registered([given, row(8, "10.0.1.8")], PORT)
    assert found.servers == (Server("8", "10.0.1.8", "active"),)
    (sentence,) = found.unknown
    assert sentence.startswith("server 7 ")
    assert said in sentence


def test_the_newest_of_those_at_one_address_counts() -> None:
    found = registered([row(12, "10.0.1.5"), row(3, "10.0.1.5"), row(9, "10.0.1.5")], PORT)
    assert found.servers == (Server("12", "10.0.1.5", "active"),)
    first, second = found.unknown
    assert first.startswith("servers 3 and 9 of the table servers are both alive at 10.0.1.5")
    assert second.startswith("servers 9 and 12")


def test_a_row_without_a_status_is_a_server() -> None:
    found = registered([Row(1, "10.0.1.5", PORT, None, None)], PORT)
    assert found.servers == (Server("1", "10.0.1.5", ""),)
