"""Messages to people, through an SNS topic."""

from __future__ import annotations

from typing import Any

_LONGEST_SUBJECT = 100
_LONGEST_MESSAGE = 60_000
"""SNS takes 256 KiB; a person reads less."""


class SnsNotifier:
    """Implements ``ports.Notifier``."""

    def __init__(self, sns: Any, topic: str) -> None:
        self._sns = sns
        self._topic = topic

    def publish(self, subject: str, message: str) -> None:
        """Send one message. SNS wants the subject in ASCII and on one line."""
        plain = subject.encode("ascii", "replace").decode().replace("\n", " ")
        self._sns.publish(
            TopicArn=self._topic,
            Subject=plain[:_LONGEST_SUBJECT],
            Message=message[:_LONGEST_MESSAGE],
        )
