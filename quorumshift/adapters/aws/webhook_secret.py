"""The URL of a webhook, from Secrets Manager: the secret's whole text."""

from __future__ import annotations

from typing import Any, NoReturn
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import code, message
from quorumshift.domain.errors import MissingResource


class WebhookSecret:
    """``name``: of the secret, or its ARN. Each call asks anew."""

    def __init__(self, secretsmanager: Any, name: str) -> None:
        self._secretsmanager = secretsmanager
        self._name = name

    def __call__(self) -> str:
        """The URL. Raises ``MissingResource`` when it cannot be read, or is none; the error never
        quotes it."""
        try:
            found = self._secretsmanager.get_secret_value(SecretId=self._name)
        except ClientError as error:
            self._refuse(f"cannot be read ({code(error)}: {message(error)})")
        text = str(found.get("SecretString") or "").strip()
        if not _is_url(text):
            self._refuse("holds no https:// URL")
        return text

    def _refuse(self, seen: str) -> NoReturn:
        raise MissingResource(
            f"the webhook's secret {self._name} (notifications.slack_secret) {seen}; put the URL "
            "of an incoming webhook into it, as plain text and nothing else, and let the function "
            "Slack read it"
        ) from None


def _is_url(text: str) -> bool:
    try:
        where = urlsplit(text)
        port = where.port
    except ValueError:
        return False
    plain = text.isascii() and text.isprintable() and " " not in text
    return plain and where.scheme == "https" and bool(where.hostname) and port != 0
