"""Messages to people, through an incoming webhook of Slack's.

The webhook's URL is a secret: whoever has it can write to the channel. It stands in no error, no
log and no environment.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from quorumshift.domain.errors import MessageRefused, Transient
from quorumshift.domain.slack import as_slack
from quorumshift.ports import Clock

TIMEOUT = 5.0
"""Seconds for a connection, and for each part of a reply."""
PATIENCE = 30.0
"""Seconds in which another try may begin; later ones are whoever calls's."""
_LONGEST_PAUSE = 15.0
_PASSING = (429, 500, 502, 503, 504)
_WORD = re.compile(r"[a-z_]{1,60}")
"""As Slack says what is wrong: ``no_service``, ``invalid_payload``. Nothing else is quoted."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """``status`` 0: there was none, and ``said`` tells why. ``pause``: seconds, as Slack asks."""

    status: int
    said: str
    pause: float | None = None

    def __str__(self) -> str:
        return f"{self.status} {self.said}" if self.status else self.said


class SlackNotifier:
    """Implements ``ports.Notifier``. ``webhook``: reads the URL (``https://…``) from its secret;
    ``secret``: what to call that in an error."""

    def __init__(self, webhook: Callable[[], str], secret: str, clock: Clock) -> None:
        self._webhook = webhook
        self._secret = secret
        self._clock = clock
        self._url = ""

    def publish(self, subject: str, message: str) -> None:
        """Post one message. A webhook that is refused is read once more, because it may have been
        replaced since.

        Raises ``Transient`` when Slack did not take it in time, ``MessageRefused`` when it never
        will, and ``MissingResource`` without a webhook.
        """
        body = json.dumps(as_slack(subject, message)).encode()
        self._url = self._url or self._webhook()
        try:
            self._post(body)
        except MessageRefused:
            before, self._url = self._url, self._webhook()
            if before == self._url:
                raise
            self._post(body)

    def _post(self, body: bytes) -> None:
        deadline = self._clock.now() + PATIENCE
        pause = 1.0
        while True:
            answer = self._send(body)
            if 200 <= answer.status < 300:
                return
            if answer.status and answer.status not in _PASSING:
                raise MessageRefused(
                    f"Slack refused a message: {answer}. If its channel or app is gone, make "
                    f"another webhook and put its URL into the secret {self._secret}; it is read "
                    "anew at the next message"
                )
            wait = pause if answer.pause is None else answer.pause
            if wait > _LONGEST_PAUSE or self._clock.now() + wait > deadline:
                raise Transient(
                    f"Slack did not take a message: {answer}. Lambda tries twice more; if it never "
                    f"answers, look at the URL in the secret {self._secret}"
                )
            self._clock.sleep(wait)
            pause *= 2

    def _send(self, body: bytes) -> _Answer:
        """Redirections are not followed, and no proxy is asked: the URL would be told to others."""
        where = urlsplit(self._url)
        path = f"{where.path or '/'}{'?' if where.query else ''}{where.query}"
        connection = http.client.HTTPSConnection(
            where.hostname or "",
            where.port,
            timeout=TIMEOUT,
            context=ssl.create_default_context(),
        )
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            said = reply.read(100).decode(errors="replace").strip()
        except (OSError, http.client.HTTPException) as error:
            return _Answer(0, _reason(error))
        finally:
            connection.close()
        asked = reply.getheader("Retry-After") or ""
        return _Answer(
            reply.status,
            said if _WORD.fullmatch(said) else http.client.responses.get(reply.status, ""),
            float(asked) if asked.isascii() and asked.isdigit() else None,
        )


def _reason(error: Exception) -> str:
    """The operating system's own words; those of a library may quote what was asked."""
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT:g} s"
    words = getattr(error, "strerror", None)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
