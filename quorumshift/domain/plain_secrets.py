"""Which plain variables hold what nobody should read."""

from __future__ import annotations

import re

# A variable whose name ends so holds a secret; as plain text it would stand in the console.
_NAME = re.compile(
    r"(^|_)(PASS|PASSWD|PASSWORD|PWD|SECRET|TOKEN|CREDENTIALS?|(PRIVATE|API|ACCESS)_KEY(_ID)?)$",
    re.I,
)
_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")


def named_like_one(name: str) -> bool:
    """Whether a variable of this name holds a secret."""
    return bool(_NAME.search(name))


def password_in_url(value: str) -> bool:
    """Whether the value is a URL with a password in it."""
    return bool(_IN_URL.search(value))


def looks_secret(name: str, value: str) -> bool:
    """Either of them."""
    return named_like_one(name) or password_in_url(value)
