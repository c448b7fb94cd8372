"""Rules of ``[load_balancer]`` on who listens where, and whether what is said stays between two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorumshift.config_schema import Origin

if TYPE_CHECKING:
    from quorumshift.config import Configuration

REDIRECTING_PORT = 80
"""Of the listener that sends users from HTTP to HTTPS."""


def check_listeners(configuration: Configuration, origin: Origin) -> None:
    """Raise ``InvalidConfiguration`` for the first rule that does not hold."""
    balancer = configuration.load_balancer
    _check_protocol(configuration, origin)
    if not balancer.plain_http and not balancer.host:
        origin.refuse(
            "load_balancer.host",
            "is missing: the test listener is reached under a name of the load balancer that no "
            "certificate is for, so its certificate is checked for the name that users call; "
            "give that name",
        )
    for name in ("listener_port", "test_listener_port"):
        if getattr(balancer, name) == configuration.redirecting_port:
            origin.refuse(
                f"load_balancer.{name}",
                f"must not be {REDIRECTING_PORT} with a certificate: who comes there by HTTP is "
                "sent on to the production listener; take 443",
            )


def _check_protocol(configuration: Configuration, origin: Origin) -> None:
    balancer = configuration.load_balancer
    where = "load_balancer.certificate"
    if balancer.certificate and balancer.plain_http:
        origin.refuse(where, "is not for listeners with plain_http = true; take one of them out")
    if configuration.adopt.test_listener:
        if balancer.certificate:
            origin.refuse(
                where,
                "is for listeners that are made, and both are adopted with certificates of their "
                "own; take it out",
            )
    elif not balancer.certificate and not balancer.plain_http:
        origin.refuse(
            where,
            "is missing: without one everybody on the way reads and changes what users and the "
            "service say; give the ARN of a certificate in AWS Certificate Manager, in the load "
            "balancer's region, or ask for HTTP with load_balancer.plain_http = true",
        )
