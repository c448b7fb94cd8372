"""Rules of ``quorumshift.toml`` for what the container is given: variables, and secrets by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from quorumshift.config_schema import Origin
from quorumshift.domain.plain_secrets import named_like_one, password_in_url

if TYPE_CHECKING:
    from quorumshift.config import Configuration

VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
"""What a variable may be called."""
_NAME = r"[A-Za-z0-9/_+=.@-]{1,512}"
SECRET = rf"{_NAME}|arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{{12}}:secret:{_NAME}"
"""A secret by its name or its ARN."""
# What Secrets Manager adds to a secret's name, which makes a secret's ARN.
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")


def check_variables(configuration: Configuration, origin: Origin) -> None:
    """A variable has one source, and none that is secret is a plain one."""
    service, database = configuration.service, configuration.database
    for name in service.environment:
        dotted = f"service.environment.{name}"
        if name in service.secrets:
            origin.refuse(dotted, "is in [service.secrets] too; keep one of them")
        if password_in_url(service.environment[name]):
            origin.refuse(
                dotted,
                "holds a password in its URL, and plain variables can be read in the console; put "
                "the URL into [service.secrets]",
            )
        if named_like_one(name):
            origin.refuse(
                dotted,
                "looks like a secret, and plain variables can be read in the console; "
                "move it to [service.secrets], [adopt.secrets] or [database.environment]",
            )
    for name in database.environment:
        for table in ("environment", "secrets"):
            if name in getattr(service, table):
                origin.refuse(
                    f"database.environment.{name}",
                    f"is in [service.{table}] too; keep one of them",
                )


def check_secret(dotted: str, secret: str, origin: Origin) -> None:
    """``secret``: the name or ARN that the key ``dotted`` gives.

    A name that ends like a whole ARN is taken for one (AWS Secrets Manager User Guide, "Finding a
    secret from a partial ARN"), and a whole ARN without its end cannot be granted.
    """
    is_arn = secret.startswith("arn:")
    if is_arn and not _SUFFIX.search(secret):
        origin.refuse(
            dotted,
            "must be the whole ARN, with the hyphen and the six characters at its end, or the name "
            f'alone: "{secret.rpartition(":")[2]}"',
        )
    if not is_arn and _SUFFIX.search(secret):
        origin.refuse(
            dotted,
            "must be the whole ARN where the secret's name itself ends with a hyphen and six "
            f'characters; AWS takes "{secret}" for an ARN\'s end',
        )
