"""Messages to people, through an SNS topic."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.notice import subject_line

_LONGEST_MESSAGE = 60_000
"""SNS takes 256 KiB; a person reads less."""


class SnsNotifier:
    """Implements ``ports.Notifier``."""

    def __init__(self, sns: Any, topic: str) -> None:
        self._sns = sns
        self._topic = topic

    def publish(self, subject: str, message: str) -> None:
        """Send one message; what is no text in UTF-8 becomes a question mark."""
        self._sns.publish(
            TopicArn=self._topic,
            Subject=subject_line(subject),
            Message=message[:_LONGEST_MESSAGE].encode(errors="replace").decode(),
        )
